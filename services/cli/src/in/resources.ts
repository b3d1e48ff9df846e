import { defineCommand, type Group } from "../command.ts";
import { readDurationMs } from "../core/arguments.ts";
import { toTime } from "../core/text.ts";

const name = { type: "positional", description: "its name", required: true } as const;

export const functions: Group = {
  description: "What is deployed",
  commands: {
    list: defineCommand({
      description: "All functions of the space",
      args: {},
      async run(args, { client, terminal }) {
        const found = await client.functions.list(args.space);
        if (terminal.json) terminal.printJson(found);
        else if (found.length === 0) terminal.note("None. Deploy one: fnbus deploy hello ./examples/hello-node");
        else
          terminal.table(
            ["NAME", "STATUS", "RUNTIME", "HANDLER", "VERSION", "UPDATED (UTC)"],
            found.map(({ name, status, settings, code, updatedAt }) => [
              ...[name, status, settings.runtime, settings.handler],
              ...[String(code?.number ?? "-"), toTime(updatedAt)],
            ]),
          );
      },
    }),
    get: defineCommand({
      description: "One function with all its settings",
      args: { name },
      async run(args, { client, terminal }) {
        terminal.printJson(await client.functions.get(args.space, args.name));
      },
    }),
    delete: defineCommand({
      description: "Delete it; what waits for it ends as failed",
      args: { name },
      async run(args, { client, terminal }) {
        await client.functions.delete(args.space, args.name);
        if (terminal.json) terminal.printJson({ deleted: args.name });
        else terminal.print(`${args.name} deleted`);
      },
    }),
  },
};

export const spaces: Group = {
  description: "Spaces that functions live in",
  commands: {
    list: defineCommand({
      description: "All spaces",
      args: {},
      async run(_args, { client, terminal }) {
        const found = await client.spaces.list();
        if (terminal.json) terminal.printJson(found);
        else
          terminal.table(
            ["NAME", "CREATED (UTC)", "DESCRIPTION"],
            found.map((one) => [one.name, toTime(one.createdAt), one.description ?? ""]),
          );
      },
    }),
    create: defineCommand({
      description: "Create a space",
      args: { name, description: { type: "string", description: "a text for people" } },
      async run(args, { client, terminal }) {
        const made = await client.spaces.create(args.name, args.description);
        if (terminal.json) terminal.printJson(made);
        else terminal.print(`${made.name} created`);
      },
    }),
    delete: defineCommand({
      description: "Delete a space without functions",
      args: { name },
      async run(args, { client, terminal }) {
        await client.spaces.delete(args.name);
        if (terminal.json) terminal.printJson({ deleted: args.name });
        else terminal.print(`${args.name} deleted`);
      },
    }),
  },
};

export const keys: Group = {
  description: "Keys for the API",
  commands: {
    list: defineCommand({
      description: "All keys; never their secrets",
      args: {},
      async run(_args, { client, terminal }) {
        const found = await client.keys.list();
        if (terminal.json) terminal.printJson(found);
        else
          terminal.table(
            ["ID", "NAME", "KIND", "SCOPES", "SPACES", "STATE"],
            found.map((key) => [
              ...[key.id, key.name, key.kind, key.scopes.join(","), key.spaces.join(",") || "all"],
              key.revokedAt ? "revoked" : key.expiresAt ? `until ${toTime(key.expiresAt)}` : "valid",
            ]),
          );
      },
    }),
    create: defineCommand({
      description: "Make a key; its secret is shown once",
      args: {
        name,
        scopes: { type: "string", description: "comma-separated", default: "function.invoke" },
        spaces: { type: "string", description: "comma-separated; none: all spaces" },
        expires: { type: "string", description: "valid for this long", valueHint: "30d" },
      },
      async run(args, { client, terminal }) {
        const validMs = readDurationMs(args.expires, "--expires");
        const made = await client.keys.create({
          name: args.name,
          scopes: args.scopes.split(","),
          ...(args.spaces && { spaces: args.spaces.split(",") }),
          ...(validMs !== undefined && { expiresAt: Date.now() + validMs }),
        });
        if (terminal.json) terminal.printJson(made);
        else {
          terminal.print(made.key);
          terminal.note(`Key ${made.id}. Keep it now: it is not shown again.`);
        }
      },
    }),
    revoke: defineCommand({
      description: "Revoke a key for ever",
      args: { id: { type: "positional", description: "the key's id", required: true } },
      async run(args, { client, terminal }) {
        await client.keys.revoke(args.id);
        if (terminal.json) terminal.printJson({ revoked: args.id });
        else terminal.print(`${args.id} revoked`);
      },
    }),
  },
};
