"""Runs one call in either handler style."""

import json
from urllib.parse import parse_qs

from .answers import to_plain_answer, to_request_answer
from .context import Context


class Request:
    """What a request handler sees (spec 7.3)."""

    def __init__(self, meta, body):
        self.method = meta["method"]
        self.path = meta["path"]
        self.raw_query = meta["query"]
        self.body = body
        self.headers = {}
        for name, value in meta["headers"]:
            self.headers[name] = self.headers[name] + ", " + value if name in self.headers else value
        self._query = None

    @property
    def query(self):
        if self._query is None:
            parsed = parse_qs(self.raw_query, keep_blank_values=True)
            self._query = {name: values[0] if len(values) == 1 else values for name, values in parsed.items()}
        return self._query


def _to_event(body):
    """The parsed body; text where it is not JSON; {} where it is empty."""
    if not body:
        return {}
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")


def begin_call(settings, handler, meta, body):
    """Calls the handler: what it returned, which may have to be awaited."""
    if settings["style"] == "request":
        return handler(Request(meta, body))
    return handler(_to_event(body), Context(settings, meta))


def to_answer(settings, value):
    """(status, headers, body) of what the handler returned."""
    return to_request_answer(value) if settings["style"] == "request" else to_plain_answer(value)
