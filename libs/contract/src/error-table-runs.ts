import { row, user } from "./error-rows.ts";
import type { ErrorRow } from "./errors.ts";

/** Errors of runs and of what becomes of them: user code's, and callbacks'. Part of `errorTable`. */
export const runErrors = {
  // What user code did
  function_threw: user(500, "The function raised an error", "See details and the function's log."),
  function_answered_error: user(
    500,
    "The function answered with a server error",
    "See the result and the function's log.",
  ),
  function_timeout: user(504, "The function ran longer than its timeout", "Raise its timeout, or make it faster."),
  function_exited: user(
    500,
    "The function's process ended before it answered",
    "Do not call process.exit or sys.exit; see the log.",
  ),
  function_rejection: user(
    500,
    "The function left a rejection or error unhandled",
    "Await every promise; see the log.",
  ),
  function_out_of_memory: user(500, "The function used more memory than it may", "Raise its memory."),
  function_result_too_large: user(500, "The function's answer is over 6 MB", "Store it and answer a reference."),
  function_result_invalid: user(
    500,
    "The function's answer cannot be sent",
    "Answer JSON values, text or bytes, and a status of 200 to 599.",
  ),
  function_init_failed: user(500, "The function's initializer failed", "See the function's log."),
  function_init_timeout: user(500, "The function's initializer took too long", "Raise its timeout, or load less."),
  function_load_failed: user(
    500,
    "The function's code could not be loaded",
    "See details: a missing module or an error at import.",
  ),
  function_handler_missing: user(500, "The loaded code has no such handler", "Check the handler's name."),
  function_protocol: user(
    500,
    "The function's process broke the runner protocol",
    "Do not write to the runner's descriptor.",
  ),

  // Callbacks
  callback_failed: row(
    502,
    "caller",
    "later",
    "The callback's receiver did not take it",
    "See the attempts; mend the receiver; redrive.",
  ),
  callback_gone: row(
    410,
    "caller",
    "no",
    "The callback's receiver is gone",
    "It answered 410: it is never asked again.",
  ),
  callback_paused: row(
    503,
    "caller",
    "later",
    "Callbacks to this host are paused",
    "It has failed for long; mend it and resume.",
  ),
  callback_given_up: row(
    502,
    "caller",
    "no",
    "The callback was given up",
    "Mend the receiver, then redrive the delivery.",
  ),
} as const satisfies Record<string, ErrorRow>;
