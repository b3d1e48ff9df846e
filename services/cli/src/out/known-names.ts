import type { Client, ClientError } from "@fnbus/client";
import { didYouMean } from "../core/suggest.ts";

type List = (client: Client, space: string) => Promise<{ name: string }[]>;

const lists: Partial<Record<ClientError["code"], List>> = {
  function_not_found: (client, space) => client.functions.list(space),
  trigger_not_found: async (client, space) => (await client.triggers.list(space, { limit: 500 })).data,
};

/** " Did you mean x?" for a function or trigger that is not there; "" where nothing is near, or cannot be asked for. */
export async function suggestName(
  { code, details }: ClientError,
  args: { function?: unknown; name?: unknown; space: string },
  client: Client,
): Promise<string> {
  const list = lists[code];
  const given = code === "function_not_found" ? (details?.function ?? args.function ?? args.name) : args.name;
  if (!list || typeof given !== "string") return "";
  return list(client, args.space).then(
    (known) =>
      didYouMean(
        given,
        known.map(({ name }) => name),
      ),
    () => "",
  );
}
