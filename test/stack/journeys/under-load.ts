import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type Load, offerLoad } from "../calls.ts";
import { expectConserved } from "../conservation.ts";
import { deploy } from "../functions.ts";
import { ready } from "../ready.ts";
import { coreNames, type Member, type Stack } from "../stack.ts";
import { eventually } from "../wait.ts";
import type { Journey } from "./journey.ts";

/** Waits until the load moves: so many calls more are accepted. */
const accepts = (load: Load, more: number) => {
  const from = load.accepted.length;
  return eventually(`${more} more are accepted`, () => load.accepted.length >= from + more, 60_000);
};

async function killUnderLoad(stack: Stack, members: Member[]): Promise<void> {
  await deploy(stack, "work");
  const load = offerLoad(stack, { callers: 8 });
  try {
    for (const member of members) {
      await accepts(load, 50);
      await member.kill();
      await sleep(1000);
      await member.restart();
      await ready(stack, 60_000);
    }
    await accepts(load, 50);
  } finally {
    await load.stop();
  }
  await expectConserved(stack, load.accepted, 90_000);
}

export const gatewayKilledAfterAccept: Journey = {
  name: "gateway-killed-after-accept",
  shows: "I1, I5: what was answered 202 runs although the gateway dies the moment after",
  async travel(stack) {
    await killUnderLoad(stack, stack.members("gateway"));
  },
};

export const everyServiceKilled: Journey = {
  name: "every-service-killed-in-turn-under-load",
  shows: "I5: losing any one process at any moment loses nothing accepted",
  async travel(stack) {
    await killUnderLoad(
      stack,
      coreNames.map((name) => stack.members(name)[0]!),
    );
  },
};

export const brokerKilledUnderLoad: Journey = {
  name: "broker-killed-under-load",
  shows: "I1, I5: what the broker acknowledged survives its kill -9; everything else was refused",
  async travel(stack) {
    await killUnderLoad(stack, [stack.broker, stack.broker]);
  },
};

export const brokerRestart: Journey = {
  name: "broker-restart",
  shows: "I1, I3: the platform goes on by itself after the broker was stopped and started",
  async travel(stack) {
    await deploy(stack, "work");
    const load = offerLoad(stack, { callers: 4, pauseMs: 20 });
    try {
      await accepts(load, 30);
      await stack.broker.stopGracefully();
      await eventually("calls without a broker are refused", () => load.refused.has("503"));
      await sleep(3000);
      await stack.broker.restart();
      await ready(stack, 60_000);
      await accepts(load, 30);
    } finally {
      await load.stop();
    }
    await expectConserved(stack, load.accepted);
  },
};

export const ledgerOwnerKilled: Journey = {
  name: "ledger-owner-killed-with-a-stand-by",
  shows:
    "I3, I5: the stand-by goes on within the leases; nothing finished runs again, nothing running is started twice",
  needs: { replicas: { ledger: 2 } },
  async travel(stack) {
    await deploy(stack, "work");
    const load = offerLoad(stack, { callers: 8 });
    try {
      await accepts(load, 100);
      await (await owner(stack)).kill();
      await accepts(load, 200);
    } finally {
      await load.stop();
    }
    const views = await expectConserved(stack, load.accepted);
    expect(views.filter(({ lost }) => lost > 0).length, "no executor was lost").toBe(0);
    for (const { token } of load.accepted) expect(stack.target.runs.get(token), token).toBe(1);
  },
};

/** The ledger that owns the partition, as /health says. */
async function owner(stack: Stack): Promise<Member> {
  return eventually("a ledger owns the partition", async () => {
    for (const member of stack.members("ledger")) {
      const health = await fetch(`${member.opsUrl}/health`).then((answer) => answer.json());
      if ((health as { partitions: { role: string }[] }).partitions.some(({ role }) => role === "owner")) return member;
    }
    return undefined;
  });
}
