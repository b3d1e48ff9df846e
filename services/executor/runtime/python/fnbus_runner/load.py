"""From "file.function" to the function itself."""

import importlib
import os


class MissingHandler(Exception):
    """A file or a function that is not there."""

    def __init__(self, message, **details):
        super().__init__(message)
        self.details = details


def load_handler(code_root, handler):
    """Imports the handler's file once and gives its function. Raises MissingHandler, or what the import raised."""
    name, _, function = handler.rpartition(".")
    path = os.path.join(code_root, name)
    if not os.path.isfile(path + ".py") and not os.path.isfile(os.path.join(path, "__init__.py")):
        raise MissingHandler("no file %s.py in the code" % name, file=name)
    module = importlib.import_module(name.replace("/", "."))
    found = getattr(module, function, None)
    if not callable(found):
        known = [known for known in dir(module) if not known.startswith("_")][:50]
        raise MissingHandler("%s has no function %s" % (name, function), export=function, exports=known)
    return found
