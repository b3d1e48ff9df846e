import { caller, later } from "./error-rows.ts";
import type { ErrorRow } from "./errors.ts";

/** Errors of triggers: what their definitions get wrong, and what their sources meet. Part of `errorTable`. */
export const triggerErrors = {
  // Triggers: their definitions
  trigger_not_found: caller(404, "trigger not found", "List them: fnbus triggers list."),
  trigger_exists: caller(
    409,
    "The space has a trigger of this name",
    "Choose another name, or change the one there is.",
  ),
  cron_trigger_exists: caller(
    409,
    "The space has a cron trigger already",
    "One cron trigger serves a space: schedules stand with the functions (options.schedule), or use triggers of type timer.",
  ),
  trigger_config_invalid: caller(422, "The trigger's config is wrong", "Mend the field that details.field names."),
  trigger_function_missing: caller(422, "This type of trigger needs a function", "Say which: function.name."),
  trigger_secret_missing: caller(
    422,
    "The trigger's address was changed, and its secret was not told again",
    "Send the fields that details.fields names too: a secret stays with the address that it was given for.",
  ),
  trigger_not_replayable: caller(
    422,
    "Triggers of this type cannot be replayed",
    "Only sources that name or number their events can: rabbitmq, kafka, obs, cts, cloudevents.",
  ),
  trigger_type_fixed: caller(422, "A trigger's type cannot be changed", "Delete the trigger and make another."),
  schedule_invalid: caller(
    422,
    "The schedule cannot be read",
    "See docs/triggers-schedules.md for the forms; details.position is where it goes wrong, counted from 1.",
  ),
  schedule_never: caller(422, "The schedule never comes due", "Check day and month: 30 February is no day."),
  timezone_unknown: caller(422, "No such time zone", "Use an IANA name such as Europe/Berlin, or UTC."),
  topic_filter_invalid: caller(
    422,
    "MQTT forbids this topic filter",
    "+ stands for one whole level, # for all that follow and only at the end; details.filter names the filter.",
  ),
  broker_address_invalid: caller(422, "The broker's address cannot be used", "Write host and port, without a scheme."),
  broker_address_forbidden: caller(
    422,
    "The broker's address is not allowed",
    "Public addresses only, or those that FNBUS_BROKER_ALLOW names.",
  ),
  event_filter_unknown: caller(
    422,
    "No such kind of event",
    "Use the events that docs/triggers.md lists for this source.",
  ),

  // Triggers: their sources at work
  source_unreachable: later(
    502,
    "The broker cannot be reached",
    "Check host, port and network; it is tried again by itself.",
  ),
  source_unauthorized: caller(401, "Not Authorized", "Mend user name and password of the trigger."),
  source_tls_failed: caller(
    502,
    "The broker's certificate is not trusted, or it does not trust the trigger's",
    "Give its authority as tls.ca; where it asks for a certificate, one that it trusts, with its key.",
  ),
  subscription_refused: caller(
    403,
    "The broker refuses a subscription",
    "Give the user the right to read the topics that the message names.",
  ),
  source_topic_missing: caller(
    404,
    "The broker has no such topic, queue or exchange",
    "Make it there, or mend the trigger.",
  ),
  source_failed: later(502, "The broker answered with an error", "Read the message; it is tried again by itself."),
  source_silent: later(503, "No service runs triggers of this type", "Start it: fnbus doctor says which is missing."),
  record_too_large: caller(413, "A record is larger than 6 MB", "Send what is large by reference."),
  event_malformed: caller(
    400,
    "The event cannot be read",
    "Send the form that docs/triggers.md shows for this source.",
  ),
  event_type_unknown: caller(422, "No such type of event", "Send an event that this trigger's source knows."),
  event_not_wanted: caller(422, "The trigger's filter takes no such event", "Change the filter, or send it elsewhere."),
  overlap_skipped: caller(
    409,
    "The tick was skipped: an earlier one's invocation had not ended",
    "Make the function faster or its schedule slower, or let ticks overlap (overlap: allow).",
  ),
  tick_ahead: later(
    503,
    "The tick lies over a minute ahead of the broker's time",
    "Set the clock of the machine that the scheduler runs on; it is taken when it is due.",
  ),
  marks_full: later(
    503,
    "Too many counting sources have a mark",
    "Delete triggers that are not needed, or raise FNBUS_MARKS; a mark is forgotten after FNBUS_MARK_DAYS without a move.",
  ),
  trigger_paused: later(503, "The trigger is paused", "Resume it: fnbus triggers resume."),
  trigger_not_testable: caller(
    422,
    "This trigger has no function to test with",
    "Give a function the topic or schedule first.",
  ),
} satisfies Record<string, ErrorRow>;
