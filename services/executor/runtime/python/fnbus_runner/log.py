"""Output belongs to the call that wrote it: a mark goes before the first output of another call (../PROTOCOL.md)."""

import contextvars
import io
import sys
import threading

current_call = contextvars.ContextVar("current_call", default=0)


class MarkedStream(io.TextIOBase):
    """A text stream that writes through at once and marks whose output it is."""

    def __init__(self, raw, encoding="utf-8"):
        self._raw = raw
        self._encoding = encoding
        self._lock = threading.Lock()
        self._marked = 0
        self._line_open = False

    @property
    def encoding(self):
        return self._encoding

    @property
    def buffer(self):
        return self._raw

    def fileno(self):
        return self._raw.fileno()

    def writable(self):
        return True

    def write(self, text):
        if not text:
            return 0
        call = current_call.get() or self._marked
        data = text.encode(self._encoding, "replace")
        with self._lock:
            if call != self._marked:
                mark = b"\0%d\n" % call
                data = (b"\n" + mark if self._line_open else mark) + data
                self._marked = call
            self._line_open = not text.endswith("\n")
            view = memoryview(data)
            while view:
                view = view[self._raw.write(view) :]
        return len(text)


def mark_output():
    """Puts marks into stdout and stderr."""
    sys.stdout = MarkedStream(open(1, "wb", buffering=0, closefd=False))
    sys.stderr = MarkedStream(open(2, "wb", buffering=0, closefd=False))
