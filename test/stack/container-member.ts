import { getContainerRuntimeClient, type StartedTestContainer } from "testcontainers";
import type { Member } from "./stack.ts";

/** Seconds that a container may take to end after SIGTERM before the engine kills it. */
const STOP_SECONDS = 40;

/** A container of a stack. The engine itself is asked, because Testcontainers removes what it stops. */
export async function toMember(name: string, container: StartedTestContainer, opsUrl = ""): Promise<Member> {
  const { container: client } = await getContainerRuntimeClient();
  const engine = client.getById(container.getId());
  return {
    name,
    opsUrl,
    async kill() {
      if ((await engine.inspect()).State.Running) await engine.kill({ signal: "SIGKILL" });
      await engine.wait();
    },
    async stopGracefully() {
      if ((await engine.inspect()).State.Running) await engine.stop({ t: STOP_SECONDS });
      return (await engine.inspect()).State.ExitCode;
    },
    freeze: () => engine.pause(),
    thaw: () => engine.unpause(),
    restart: () => engine.start(),
    log: async () => toText(await engine.logs({ stdout: true, stderr: true, follow: false })),
  };
}

/** The engine's log is frames of an 8-byte head (stream, length) and text. */
function toText(frames: Buffer): string {
  let text = "";
  for (let at = 0; at + 8 <= frames.length; ) {
    const length = frames.readUInt32BE(at + 4);
    text += frames.toString("utf8", at + 8, at + 8 + length);
    at += 8 + length;
  }
  return text;
}
