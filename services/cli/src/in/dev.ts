import { defineCommand, type Group } from "../command.ts";
import { UsageError } from "../core/exit-codes.ts";

const PORT = "1883";
const port = { type: "string", description: "its port on 127.0.0.1", default: PORT, valueHint: "number" } as const;

function readPort(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new UsageError(`--port takes a port, not "${text}"`);
  return number;
}

const mosquitto = defineCommand({
  description: "An MQTT broker to try triggers with, on this machine alone, until Ctrl-C",
  args: { port },
  async run(args, { dev, terminal }) {
    const number = readPort(args.port);
    const broker = await dev.startBroker(number);
    const more = args.port === PORT ? "" : ` --port ${number}`;
    if (terminal.json) terminal.printJson({ host: "127.0.0.1", port: number, runs: broker.what });
    else {
      terminal.note(
        `${broker.what} listens on 127.0.0.1:${number}, and keeps nothing. Ctrl-C ends it. In another terminal:\n`,
      );
      terminal.print(`fnbus triggers create sensors --type mqtt --host 127.0.0.1:${number} --topics "sensors/#"`);
      terminal.print(`fnbus dev publish sensors/line1/temperature '{"celsius":21.5}'${more}`);
    }
    await broker.ended;
  },
});

const publish = defineCommand({
  description: "Publish one message to a broker of this machine",
  args: {
    topic: { type: "positional", description: "without wildcards", required: true },
    message: { type: "positional", description: "the payload; - reads stdin", required: true },
    port,
    retain: { type: "boolean", description: "the broker keeps it for who subscribes later" },
  },
  async run(args, { dev, readFile, terminal }) {
    if (args.topic === "" || /[+#\0]/.test(args.topic))
      throw new UsageError("a message has one topic: no + and no # in it");
    const payload = args.message === "-" ? await readFile("/dev/stdin") : Buffer.from(args.message);
    await dev.publish({ port: readPort(args.port), topic: args.topic, payload, retain: args.retain === true });
    if (terminal.json) terminal.printJson({ topic: args.topic, bytes: payload.length });
    else terminal.note("The broker has it. See: fnbus invocations list");
  },
});

export const dev: Group = {
  description: "Brokers to try triggers with on this machine",
  commands: { mosquitto, publish },
};
