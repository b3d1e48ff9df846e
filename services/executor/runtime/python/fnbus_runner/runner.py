"""The Python runner: waits without code, loads one function, runs its calls (../PROTOCOL.md)."""

import asyncio
import contextvars
import fcntl
import inspect
import json
import os
import signal
import socket
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from . import frames
from .answers import InvalidAnswer
from .calls import begin_call, to_answer
from .context import Context
from .failures import to_error_payload, to_failure
from .load import MissingHandler, load_handler
from .log import MarkedStream, current_call, flush_output, mark_output

connection = socket.socket(fileno=3)
sending = threading.Lock()
settings = {}
loop = asyncio.new_event_loop()


def send(kind, call, value, body=b""):
    frame = frames.encode_frame(kind, call, value, body)
    with sending:
        connection.sendall(frame)


def end(status):
    """Ends the process from any thread, as sys.exit would from the main one."""
    flush_output()
    os._exit(status if isinstance(status, int) else 0 if status is None else 1)


def hear_stop():
    """A call is over its time, or cancelled: the function's own handler of SIGTERM may clean up. A kill follows."""
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        handler(signal.SIGTERM, None)


def hear_while_running(_signal, _frame):
    """SIGIO during the one call of this process: the only frame that can come is *stop*."""
    try:
        head = connection.recv(5, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return
    if len(head) == 5 and head[4] == frames.STOP:
        listen_while_running(False)
        hear_stop()


def listen_while_running(on):
    flags = fcntl.fcntl(connection, fcntl.F_GETFL)
    fcntl.fcntl(connection, fcntl.F_SETFL, flags | os.O_ASYNC if on else flags & ~os.O_ASYNC)


def load(given):
    """Makes this process the instance of one function. Returns its handler, or None when it cannot be loaded."""
    settings.update(given)
    code_root = settings["codeRoot"]
    os.chdir(code_root)
    os.environ.update(settings["environment"])
    sys.path.insert(0, code_root)
    step = "function_load_failed"
    try:
        handler = load_handler(code_root, settings["handler"])
        if settings["initializer"]:
            initializer = load_handler(code_root, settings["initializer"])
            step = "function_init_failed"
            begun = None if settings.get("check") else initializer(Context(settings, {}))
            if inspect.isawaitable(begun):
                loop.run_until_complete(begun)
    except MissingHandler as error:
        send(frames.LOADED, 0, {"ok": False, **to_failure("function_handler_missing", error, code_root, **error.details)})
    except Exception as error:
        send(frames.LOADED, 0, {"ok": False, **to_failure(step, error, code_root)})
    else:
        send(frames.LOADED, 0, {"ok": True})
        return handler
    return None


def fail(number, error):
    flush_output()
    code = "function_result_invalid" if isinstance(error, InvalidAnswer) else "function_threw"
    failure = to_failure(code, error, settings["codeRoot"])
    send(frames.FAILED, number, failure, to_error_payload(failure))


def finish(number, value):
    flush_output()
    status, headers, body = to_answer(settings, value)
    send(frames.RESULT, number, {"s": status, "h": headers}, body)


def run_call(handler, number, text, body):
    """Runs one call to its end on this thread."""
    current_call.set(number)
    try:
        begun = begin_call(settings, handler, json.loads(text), body)
        if not inspect.isawaitable(begun):
            finish(number, begun)
        elif settings["perInstance"] == 1:
            finish(number, loop.run_until_complete(begun))
        else:
            context = contextvars.copy_context()
            loop.call_soon_threadsafe(lambda: loop.create_task(run_awaited(number, begun), context=context))
    except Exception as error:
        fail(number, error)
    except SystemExit as error:
        end(error.code)
    except BaseException:
        end(1)


async def run_awaited(number, begun):
    try:
        finish(number, await begun)
    except Exception as error:
        fail(number, error)
    except SystemExit as error:
        end(error.code)


def raise_outside(_loop, context):
    """A task that nobody awaits failed: the instance says why and ends."""
    error = context.get("exception") or RuntimeError(context.get("message", ""))
    send(frames.FATAL, 0, to_failure("function_rejection", error, settings.get("codeRoot", "/")))
    end(1)


def main():
    """Serves descriptor 3 until the executor is gone."""
    mark_output()
    loop.set_exception_handler(raise_outside)
    asyncio.set_event_loop(loop)
    signal.signal(signal.SIGIO, hear_while_running)
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    send(frames.READY, 0, {"protocol": 1})
    handler = None
    workers = None
    for kind, number, text, body in frames.read_frames(connection):
        if kind == frames.LOAD:
            handler = load(json.loads(text))
            if settings["perInstance"] > 1:
                MarkedStream.by_line = True
                workers = ThreadPoolExecutor(settings["perInstance"])
                threading.Thread(target=loop.run_forever, daemon=True).start()
        elif kind == frames.CALL and workers:
            workers.submit(run_call, handler, number, text, body)
        elif kind == frames.CALL:
            listen_while_running(True)
            run_call(handler, number, text, body)
            listen_while_running(False)
        elif kind == frames.STOP and workers:
            hear_stop()
    os._exit(0)
