import { type Stack, serviceNames } from "./stack.ts";

/** What servers write at every start. */
const usual = / \[INF\] |^\d+:[CM] .* [*#] |Plaintext passwords/;

/** The end of what every process of a stack wrote, for a journey that failed. */
export async function logsOf(stack: Stack): Promise<string> {
  const members = [stack.broker, stack.redis, ...serviceNames.flatMap((name) => stack.members(name))];
  const parts = await Promise.all(
    members.map(async (member) => {
      const log = await member.log().catch((error: Error) => `no log: ${error.message}`);
      const lines = log.trimEnd().split("\n");
      return `--- ${member.name}\n${lines
        .filter((line) => !usual.test(line))
        .slice(-25)
        .join("\n")}`;
    }),
  );
  return parts.join("\n");
}
