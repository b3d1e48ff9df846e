import { type Stack, serviceNames } from "./stack.ts";
import { eventually } from "./wait.ts";

/** Waits until every service says on /ready that it is. */
export async function ready(stack: Pick<Stack, "members">, timeoutMs: number): Promise<void> {
  const members = serviceNames.flatMap((name) => stack.members(name));
  await Promise.all(
    members.map((member) =>
      eventually(
        `${member.name} is ready`,
        async () => {
          const answer = await fetch(`${member.opsUrl}/ready`, { signal: AbortSignal.timeout(2000) });
          if (!answer.ok) throw new Error(await answer.text());
          return true;
        },
        timeoutMs,
      ).catch(async (error: Error) => {
        throw new Error(`${error.message}\n${(await member.log()).slice(-4000)}`);
      }),
    ),
  );
}
