"""What a handler returned, as status, header lines and raw bytes."""

import json

STATUS_NAMES = ("status", "statusCode", "status_code")


class InvalidAnswer(Exception):
    """An answer that cannot be sent."""


def to_plain_answer(value):
    """(status, headers, body) of a plain value: JSON, text or bytes."""
    if isinstance(value, str):
        return 200, [["content-type", "text/plain; charset=utf-8"]], value.encode("utf-8", "replace")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return 200, [["content-type", "application/octet-stream"]], bytes(value)
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidAnswer("the answer is no JSON: %s" % error) from None
    return 200, [["content-type", "application/json"]], text.encode("utf-8", "replace")


def to_request_answer(value):
    """The answer of a request handler: {status|statusCode|status_code, headers, body}, or a plain value (spec 7.3)."""
    if value is None:
        return 200, [], b""
    named = isinstance(value, dict) and next((name for name in STATUS_NAMES if name in value), None)
    if not named and not (isinstance(value, dict) and "body" in value and "headers" in value):
        return to_plain_answer(value)
    status = value[named] if named else 200
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise InvalidAnswer("the status is %r: answer a number from 200 to 599" % (status,))
    headers = _to_header_list(value.get("headers") or {})
    body = value.get("body")
    if body is None:
        return int(status), headers, b""
    _, implied, data = to_plain_answer(body)
    if any(name.lower() == "content-type" for name, _ in headers):
        implied = []
    return int(status), headers + implied, data


def _to_header_list(headers):
    pairs = headers.items() if hasattr(headers, "items") else headers
    try:
        return [
            [str(name), str(one)]
            for name, value in pairs
            for one in (value if isinstance(value, (list, tuple)) else [value])
        ]
    except (TypeError, ValueError):
        raise InvalidAnswer("headers are neither a mapping nor pairs") from None
