import type { TriggerView } from "@fnbus/client";
import type { TestedInvocation } from "@fnbus/contract";
import { toTime } from "./text.ts";

/** Line of facts with its name before it; none where there is nothing to say. */
type Line = (name: string, text: string | number | undefined) => string[];

/** What a trigger listens for, in a few words. */
export function toSummary({ type, config }: TriggerView): string {
  const { schedule, timezone, host, port, topics, brokers, bucket, events, queue, exchange } = config as Record<
    string,
    string | undefined
  >;
  const place = [host && `${host}${port === undefined ? "" : `:${port}`}`, brokers].flat().filter(Boolean).join(",");
  const parts = {
    cron: "schedules of the space's functions",
    timer: [schedule, timezone].filter(Boolean).join(" "),
    mqtt: `${place} ${topics}`,
    rabbitmq: `${place} ${[exchange, queue, topics].filter(Boolean).join(" ")}`,
    kafka: `${place} ${[topics].flat().join(",")}`,
    obs: `${bucket} ${[events].flat().join(",")}`,
  } as Record<string, string>;
  return parts[type] ?? Object.values(config).flat().join(" ");
}

export function toListRow(view: TriggerView): string[] {
  const { name, type, function: to, status } = view;
  return [
    ...[name, type, status?.state ?? "", to?.name ?? "*", String(status?.published ?? "")],
    toTime(status?.lastEventAt),
    // One that runs again is not what somebody looks for in a list.
    status?.error && status.state !== "Running" ? `${status.error.code}: ${status.error.message}` : "",
  ];
}

const toError = ({ at, code, message }: { at?: number; code: string; message: string }): string =>
  `${toTime(at)} ${code}: ${message}`.trim();

/** A fact that a service tells of a trigger: lists have a line an entry, `name value` each. */
function toDetailLines([name, value]: [string, unknown]): string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "object" && one !== null))
    return [`  ${name}: ${JSON.stringify(value)}`];
  const toEntry = (one: object) =>
    Object.entries(one)
      .map(([key, of]) => `${key} ${typeof of === "object" ? JSON.stringify(of) : of}`)
      .join(", ");
  return [`  ${name}: ${value.length}`, ...value.map((one) => `    ${toEntry(one)}`)];
}

/** Everything of a trigger but its state's colour: replicas, counts, what went wrong last. */
export function toTriggerLines(view: TriggerView, line: Line): string[] {
  const { status } = view;
  const replicas = status?.replicas ?? [];
  return [
    ...line("type", `${view.type}: ${toSummary(view)}`),
    ...line("function", view.function?.name ?? "those of the space that ask for it (options of the function)"),
    ...line("about", view.description),
    ...line("callback", view.callbackUrl),
    ...line("config", JSON.stringify(view.config)),
    ...line("secrets", view.secrets.join(", ")),
    ...line("since", toTime(status?.since)),
    ...line(status?.state === "Running" ? "last error" : "error", status?.error && toError(status.error)),
    ...line("events", status && `${status.received} came, ${status.published} invocations, ${status.givenUp} given up`),
    ...line("last event", toTime(status?.lastEventAt)),
    ...replicas.flatMap((one) => [
      ...line("replica", `${one.instance}  ${one.state}  ${one.received}/${one.published}/${one.givenUp}`),
      ...(one.error && replicas.length > 1 ? [`  ${toError(one.error)}`] : []),
      ...Object.entries(one.details ?? {}).flatMap(toDetailLines),
    ]),
  ];
}

/** One invocation that a test made, or would make. */
export function toTestedLines(one: TestedInvocation, line: Line): string[] {
  return [
    ...line("function", one.function),
    ...line("id", one.id),
    ...line("source", `${one.source}, as ${one.kind === "event" ? "an event" : `a request: POST ${one.path}`}`),
    ...one.headers.map(([name, value]) => `  ${name}: ${value}`),
    one.text ?? `(${Buffer.from(one.body, "base64").length} bytes that are no text, base64) ${one.body}`,
  ];
}
