import { type Stack, serviceNames } from "./stack.ts";

/** The end of what every process of a stack wrote, for a journey that failed. */
export async function logsOf(stack: Stack): Promise<string> {
  const members = [stack.broker, stack.redis, ...serviceNames.flatMap((name) => stack.members(name))];
  const parts = await Promise.all(
    members.map(async (member) => {
      const log = await member.log().catch((error: Error) => `no log: ${error.message}`);
      return `--- ${member.name}\n${log.trimEnd().split("\n").slice(-25).join("\n")}`;
    }),
  );
  return parts.join("\n");
}
