"""Output belongs to the call that wrote it: a mark goes before the first output of another call (../PROTOCOL.md)."""

import contextvars
import io
import sys
import threading

current_call = contextvars.ContextVar("current_call", default=0)


# A line that is longer is written in parts: the executor splits it too.
LINE_CHARS = 65536


class MarkedStream(io.TextIOBase):
    """
    A text stream that marks whose output it is. It writes through at once; where calls run together, line by line:
    `print` writes a line in pieces, and another call's would come between.
    """

    by_line = False

    def __init__(self, raw, encoding="utf-8"):
        self._raw = raw
        self._encoding = encoding
        self._lock = threading.Lock()
        self._marked = 0
        self._line_open = False
        self._partial = {}

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
        call = current_call.get()
        if self.by_line:
            whole = self._partial.pop(call, "") + text
            cut = len(whole) if len(whole) > LINE_CHARS else whole.rfind("\n") + 1
            if cut < len(whole):
                self._partial[call] = whole[cut:]
            self._put(call, whole[:cut])
        else:
            self._put(call, text)
        return len(text)

    def flush(self):
        call = current_call.get()
        self._put(call, self._partial.pop(call, ""))

    def _put(self, call, text):
        if not text:
            return
        call = call or self._marked
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


_streams = tuple(MarkedStream(open(number, "wb", buffering=0, closefd=False)) for number in (1, 2))


def mark_output():
    """Puts marks into stdout and stderr."""
    sys.stdout, sys.stderr = _streams


def flush_output():
    """A call has ended: what it wrote without a line's end goes out."""
    for stream in _streams:
        stream.flush()
