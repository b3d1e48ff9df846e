import { FnbusError, type InvocationView, isId, type ListFilter, toAnswerHeaders } from "@fnbus/contract";
import type { FastifyRequest } from "fastify";
import type { Static } from "typebox";
import type { Doors } from "../doors.ts";
import { sendAnswer } from "../smartworks/answer.ts";
import { type App, pathOf, spaceRoute, toTime } from "./app.ts";
import { listInvocations } from "./list-invocations.ts";
import { redriveOne } from "./redrive.ts";
import { InvocationFilter, Wait } from "./schemas.ts";

const tags = ["Invocations"];
/** A long poll ends before proxies lose patience; the caller asks again. */
const MAX_WAIT_MS = 60_000;

export function invocationRoutes(app: App, doors: Doors): void {
  const { ledger } = doors;

  app.get(
    "/spaces/:space/invocations",
    {
      config: spaceRoute("invocation.read"),
      schema: { tags, summary: "List invocations, newest first", querystring: InvocationFilter },
    },
    async (request) => listInvocations(doors, toFilter(pathOf(request).space, request.query), request.query.cursor),
  );

  app.get(
    "/spaces/:space/invocations/:id",
    {
      config: spaceRoute("invocation.read"),
      schema: {
        tags,
        summary: "Show an invocation; with ?wait=seconds, when it has ended or the time is over",
        querystring: Wait,
      },
    },
    async (request): Promise<InvocationView> => {
      const { space, id } = toTarget(request);
      const timeoutMs = Math.min(MAX_WAIT_MS, (request.query.wait ?? 0) * 1000);
      const question =
        timeoutMs > 0 ? ({ ask: "wait", space, id, timeoutMs } as const) : ({ ask: "get", space, id } as const);
      return (await ledger.askAll(question, "invocation")).answer.invocation;
    },
  );

  app.get(
    "/spaces/:space/invocations/:id/result",
    {
      config: spaceRoute("invocation.read"),
      schema: { tags, summary: "What the function answered: its status, headers and body" },
    },
    async (request, reply) => {
      const { space, id } = toTarget(request);
      const { answer, body } = await ledger.askAll({ ask: "result", space, id }, "result");
      if (answer.statusCode === 0)
        throw new FnbusError("result_gone", "the function gave no answer", { details: { id } });
      const bytes = answer.bodyReference ? await doors.bodies.get(answer.bodyReference) : body;
      const headers = toAnswerHeaders(answer.headers);
      return sendAnswer(reply, answer.statusCode, [...headers, ["x-fnbus-invocation-id", id]], bytes);
    },
  );

  app.post(
    "/spaces/:space/invocations/:id/cancel",
    { config: spaceRoute("invocation.write"), schema: { tags, summary: "Cancel an invocation that has not ended" } },
    async (request) => {
      const { space, id } = toTarget(request);
      const { answer } = await ledger.askAll({ ask: "cancel", space, id }, "cancelled");
      return { id, state: answer.state };
    },
  );

  app.post(
    "/spaces/:space/invocations/:id/redrive",
    {
      config: spaceRoute("invocation.write"),
      schema: { tags, summary: "Send a dead letter again, as a new invocation" },
    },
    async (request, reply) => {
      const { space, id } = toTarget(request);
      const redriven = await redriveOne(doors, space, id);
      return reply
        .code(202)
        .header("location", `/v1/spaces/${space}/invocations/${redriven}`)
        .send({ id: redriven, redriveOf: id });
    },
  );
}

/** Throws `space_not_found`, and `invocation_not_found` for what cannot be an id. */
function toTarget(request: FastifyRequest): { space: string; id: string } {
  const { space, id } = pathOf(request);
  if (!isId(id)) throw new FnbusError("invocation_not_found");
  return { space, id };
}

const DEFAULT_LIMIT = 50;

type FilterQuery = Omit<Static<typeof InvocationFilter>, "state" | "cursor"> & { state?: readonly string[] };

export function toFilter(space: string, query: FilterQuery): Omit<ListFilter, "cursor"> {
  const since = toTime("since", query.since);
  const until = toTime("until", query.until);
  return {
    space,
    limit: query.limit ?? DEFAULT_LIMIT,
    ...(query.function === undefined ? {} : { function: query.function }),
    ...(query.state === undefined ? {} : { states: [...query.state] as NonNullable<ListFilter["states"]> }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(query.callback === undefined ? {} : { callback: query.callback as NonNullable<ListFilter["callback"]> }),
  };
}
