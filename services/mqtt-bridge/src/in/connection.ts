import { type IClientOptions, type IConnackPacket, type IPublishPacket, MqttClient } from "mqtt";
import { type Failure, toFailure, toRefusal } from "../core/failures.ts";
import type { MqttTrigger } from "../core/subscriptions.ts";
import { createInHand, type InHand, MAX_IN_HAND } from "./in-hand.ts";
import type { SocketOpener } from "./socket.ts";

export interface ConnectionOptions {
  config: MqttTrigger["config"];
  clientId: string;
  openSocket: SocketOpener;
  /** About how long to wait before the first new try, ms. */
  reconnectMs: number;
  /** After each connecting. Rejects: the connection is dropped. */
  onConnect(client: MqttClient, connack: IConnackPacket): Promise<void>;
  /**
   * Resolves: acknowledge. Rejects: drop the connection, so that the broker sends it again. `signal`: it will not be
   * acknowledged any more, as the connection has ended or is to.
   */
  onMessage(packet: IPublishPacket, signal: AbortSignal): Promise<void>;
  onFailure(failure: Failure): void;
  /** Whether the session is still ours: nobody connects with the name of a session that another holds. */
  mayConnect(): boolean;
}

/** One session at a broker: connected again and again, until it is stopped. */
export interface Connection {
  /** The client while it is connected. */
  readonly client: MqttClient | undefined;
  /** Takes no more messages, waits for those in hand. `forget`: the session ends, and what it holds at the broker too. */
  stop(options: { forget: boolean }): Promise<void>;
}

const KEEPALIVE_SECONDS = 20;
const CONNECT_TIMEOUT_MS = 10_000;
const OURS = new Error("acknowledged by us");
/** Above the largest body, so that an oversized message is given up with a record; still larger ones the broker drops. */
const MAX_PACKET_BYTES = 16 * 1024 * 1024;
const DEFAULT_SESSION_SECONDS = 86_400;
const LONGEST_PAUSE_FACTOR = 30;
/** For the broker to read the last acknowledgements and the farewell. */
const FAREWELL_MS = 500;

export function openConnection(options: ConnectionOptions): Connection {
  const { config, clientId, openSocket } = options;
  const { username, password, protocolVersion = 5 } = config;
  const stopping = new AbortController();
  let client: MqttClient | undefined;
  let timer: NodeJS.Timeout | undefined;
  let attempt = 0;
  /** Of the client. */
  let hand: InHand | undefined;

  const clientOptions: IClientOptions = {
    ...{ clientId, protocolVersion, clean: false, keepalive: KEEPALIVE_SECONDS, connectTimeout: CONNECT_TIMEOUT_MS },
    // Every try is a client of its own, at a time of our choosing.
    ...{ reconnectPeriod: 0, resubscribe: false, queueQoSZero: false },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(protocolVersion === 5 && {
      properties: {
        sessionExpiryInterval: config.sessionExpirySeconds ?? DEFAULT_SESSION_SECONDS,
        receiveMaximum: MAX_IN_HAND,
        maximumPacketSize: MAX_PACKET_BYTES,
      },
    }),
  };

  function connectLater(): void {
    const base = options.reconnectMs * Math.min(LONGEST_PAUSE_FACTOR, 2 ** attempt++);
    // Spread out: a broker that comes back is not met by everybody at once.
    timer = setTimeout(connect, base * (0.5 + Math.random()));
  }

  function connect(): void {
    if (!options.mayConnect()) {
      connectLater();
      return;
    }
    let failure: Failure | undefined;
    const fail = (error: unknown) => {
      failure ??= toFailure(error, protocolVersion);
    };
    const now = new MqttClient(() => openSocket(config), { ...clientOptions });
    client = now;
    // What a lost connection brought comes again: it is not waited with, or every connection would leave some behind (I11).
    const closing = new AbortController();
    const signal = AbortSignal.any([stopping.signal, closing.signal]);
    const inHand = createInHand(
      (packet) => options.onMessage(packet, signal),
      (bytes) => {
        if (now.connected) now.stream.write(bytes);
      },
      (error) => drop(error),
    );
    hand = inHand;
    const drop = (error: unknown) => {
      fail(error);
      if (signal.aborted) return;
      inHand.close();
      now.stream.end(() => now.stream.destroy());
    };
    now.handleMessage = (packet, next) => {
      // What is not taken is not acknowledged: the session gives it to whoever comes next. An error keeps MQTT.js from
      // acknowledging by itself.
      if (!signal.aborted) inHand.take(packet as IPublishPacket, () => next(OURS));
    };
    now.on("connect", (connack) => {
      options.onConnect(now, connack).then(() => {
        attempt = 0;
      }, drop);
    });
    now.on("error", fail);
    now.on("disconnect", ({ reasonCode = 0 }) => {
      failure ??= toRefusal(reasonCode, protocolVersion);
    });
    // While too much is in hand nothing is read, not even the broker's answer to a ping: it is sent, and not waited for.
    const pings = setInterval(
      () => {
        if (!inHand.isFull || !now.connected) return;
        now.sendPing();
        now.reschedulePing(true);
      },
      (KEEPALIVE_SECONDS * 1000) / 4,
    );
    now.once("close", () => {
      clearInterval(pings);
      closing.abort(new Error("the connection has ended"));
      if (stopping.signal.aborted) return;
      options.onFailure(failure ?? { code: "source_unreachable", message: "the broker closed the connection" });
      connectLater();
    });
  }
  connect();

  return {
    get client() {
      return client?.connected ? client : undefined;
    },
    async stop({ forget }) {
      stopping.abort(new Error("stopping"));
      clearTimeout(timer);
      await hand?.settled();
      if (!client) return;
      hand?.close();
      if (client.connected) await sayGoodbye(client, forget && protocolVersion === 5);
      client.stream.destroy();
      if (forget && protocolVersion === 4 && options.mayConnect())
        await endSession(() => new MqttClient(() => openSocket(config), { ...clientOptions, clean: true }));
    },
  };
}

function sayGoodbye(client: MqttClient, forget: boolean): Promise<void> {
  return new Promise((resolve) => {
    const patience = setTimeout(resolve, FAREWELL_MS);
    client.stream.once("finish", () => {
      clearTimeout(patience);
      resolve();
    });
    client.end(false, forget ? { reasonCode: 0, properties: { sessionExpiryInterval: 0 } } : {});
  });
}

/** 3.1.1 ends a session by beginning another that is not kept. */
async function endSession(begin: () => MqttClient): Promise<void> {
  const last = begin();
  last.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    last.once("connect", () => sayGoodbye(last, false).then(resolve));
    last.once("close", () => resolve());
  });
  last.stream.destroy();
}
