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
    status?.error ? `${status.error.code}: ${status.error.message}` : "",
  ];
}

/** Everything of a trigger but its state's colour: replicas, counts, what went wrong last. */
export function toTriggerLines(view: TriggerView, line: Line): string[] {
  const { status } = view;
  return [
    ...line("type", `${view.type}: ${toSummary(view)}`),
    ...line("function", view.function?.name ?? "those of the space that ask for it (options of the function)"),
    ...line("about", view.description),
    ...line("callback", view.callbackUrl),
    ...line("config", JSON.stringify(view.config)),
    ...line("secrets", view.secrets.join(", ")),
    ...line("since", toTime(status?.since)),
    ...line(
      "error",
      status?.error && `${toTime(status.error.at)} ${status.error.code}: ${status.error.message}`.trim(),
    ),
    ...line("events", status && `${status.received} came, ${status.published} invocations, ${status.givenUp} given up`),
    ...line("last event", toTime(status?.lastEventAt)),
    ...(status?.replicas ?? []).flatMap((one) => [
      ...line("replica", `${one.instance}  ${one.state}  ${one.received}/${one.published}/${one.givenUp}`),
      ...(one.error ? [`  ${toTime(one.error.at)}  ${one.error.code}  ${one.error.message}`] : []),
      ...Object.entries(one.details ?? {}).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`),
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
