"""What user code raised, as the platform reports it: type, message, stack, and the line of the function's own code."""

import json
import traceback

STACK_LINES = 32
TEXT_CHARS = 8192


def to_failure(code, error, code_root, **more):
    """A failure with a code of the platform's error table."""
    message = str(error)[:TEXT_CHARS]
    kind = type(error).__name__
    details = {"exception_info": message, "exception_type": kind}
    own = [entry for entry in traceback.extract_tb(error.__traceback__) if entry.filename.startswith(code_root + "/")]
    if isinstance(error, SyntaxError) and str(error.filename).startswith(code_root + "/"):
        message = details["exception_info"] = error.msg
        details["exception_line_number"] = error.lineno
        details["exception_line_code"] = (error.text or "").strip()[:512]
        details["file"] = error.filename[len(code_root) + 1 :]
        details["syntax"] = {"line": error.lineno, "text": details["exception_line_code"]}
    elif own:
        details["exception_line_number"] = own[-1].lineno
        details["exception_line_code"] = (own[-1].line or "")[:512]
        details["file"] = own[-1].filename[len(code_root) + 1 :]
    lines = traceback.format_list(own) + traceback.format_exception_only(type(error), error)
    stack = [line[:512] for line in "".join(lines).rstrip("\n").split("\n")[:STACK_LINES]]
    return {"code": code, "message": message, "type": kind, "stack": stack, "details": {**details, **more}}


def to_error_payload(failure):
    """The body that FunctionGraph gives for a function's error (wire-compatibility.md 4.1)."""
    payload = {
        "errorMessage": "function invocation exception, error: " + failure["message"],
        "errorType": failure["type"],
        "stackTrace": failure["stack"],
    }
    return json.dumps(payload).encode()
