"""The codec of descriptor 3 (../PROTOCOL.md)."""

import json
import struct

LOAD, CALL, STOP = 1, 2, 3
READY, LOADED, RESULT, FAILED, FATAL = 16, 17, 18, 19, 20

_HEAD = struct.Struct("<IBII")
_LENGTH = struct.Struct("<I")
_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def encode_frame(kind, call, value, body=b""):
    """One frame: `value` as JSON, then the raw body."""
    text = _dumps(value).encode("utf-8", "replace")
    return b"".join((_HEAD.pack(9 + len(text) + len(body), kind, call, len(text)), text, body))


def read_frames(connection):
    """Yields (kind, call, JSON bytes, body) until the other side is gone."""
    held = bytearray()
    while True:
        while len(held) >= 4:
            end = 4 + _LENGTH.unpack_from(held)[0]
            if len(held) < end:
                break
            _, kind, call, text_bytes = _HEAD.unpack_from(held)
            text = bytes(held[13 : 13 + text_bytes])
            body = bytes(held[13 + text_bytes : end])
            del held[:end]
            yield kind, call, text, body
        chunk = connection.recv(262144)
        if not chunk:
            return
        held += chunk
