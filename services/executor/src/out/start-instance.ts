import { linkSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type CodeVersion, FnbusError, type FunctionDefinition } from "@fnbus/contract";
import { type RunError, readFailure } from "../core/failures.ts";
import { frameTypes } from "../core/frames.ts";
import { type Isolation, toCodeRoot } from "../core/launch.ts";
import { toLoadSettings } from "../core/load-settings.ts";
import type { Boot, Booted } from "./boot.ts";
import type { CodeCache, CodeFolder } from "./code-cache.ts";
import { createInstance, type Instance } from "./instance.ts";
import { createInstanceOutput, type InstanceOutput } from "./instance-output.ts";
import type { LogPublisher } from "./logs.ts";
import type { Spares } from "./spares.ts";

/** Code of more files is bound into a fresh sandbox: linking it would take longer than booting. */
const LINKED_FILES = 200;

export interface StartOptions {
  executor: string;
  isolation: Isolation;
  boot: Boot;
  spares: Spares;
  code: CodeCache;
  logs: LogPublisher;
  /** Only whether the code loads: the initializer is not run. */
  check?: boolean;
}

/** The function's own code could not be loaded or initialised. */
export class LoadFailure extends Error {
  readonly error: RunError;
  constructor(error: RunError) {
    super(error.message);
    this.error = error;
  }
}

/** From a definition to an instance that takes calls. Throws LoadFailure (the function's fault) or FnbusError (ours). */
export function createStartInstance(options: StartOptions) {
  const { isolation } = options;

  async function bootFor(definition: FunctionDefinition, code: CodeFolder): Promise<Booted> {
    const { runtime, network } = definition.settings;
    if (code.files.length <= LINKED_FILES) {
      const booted = await options.spares.take({ runtime, network });
      linkCode(code, join(booted.home, "code"));
      return booted;
    }
    return options.boot.boot({ runtime, network, codeFolder: code.path });
  }

  return async (definition: FunctionDefinition, on: { free(): void; gone(): void }): Promise<Instance> => {
    const { settings } = definition;
    if (settings.isolation === "strict" && isolation.level !== "sandbox") throw new FnbusError("isolation_unavailable");
    const code = await options.code.acquire(requireCode(definition).object);
    let booted: Booted;
    try {
      booted = await bootFor(definition, code);
    } catch (error) {
      code.release();
      throw error;
    }
    void booted.ended.then(code.release);
    const output = createInstanceOutput(definition, booted.name, options.logs);
    output.attach(booted.runner.child.stdout, "stdout");
    output.attach(booted.runner.child.stderr, "stderr");
    try {
      booted.group?.limitMemory(settings.memoryMb);
      await load(
        booted,
        definition,
        toLoadSettings(definition, toCodeRoot(isolation, booted.home), booted.name, options.check),
        output,
      );
    } catch (error) {
      booted.kill();
      throw error;
    }
    const instance = createInstance(booted, definition, options.executor, output, on);
    instance.serve();
    return instance;
  };
}
export type StartInstance = ReturnType<typeof createStartInstance>;

function requireCode(definition: FunctionDefinition): CodeVersion {
  if (!definition.code) throw new FnbusError("code_unavailable", "the function has no code");
  return definition.code;
}

/** Links, not copies: the sandbox sees its folder read-only, so the cache's files cannot be changed through them. */
function linkCode(code: CodeFolder, target: string): void {
  mkdirSync(target, { mode: 0o755 });
  const made = new Set<string>();
  for (const file of code.files) {
    const folder = dirname(file);
    if (folder !== "." && !made.has(folder)) {
      mkdirSync(join(target, folder), { recursive: true, mode: 0o755 });
      made.add(folder);
    }
    linkSync(join(code.path, file), join(target, file));
  }
}

function load(
  booted: Booted,
  definition: FunctionDefinition,
  settings: ReturnType<typeof toLoadSettings>,
  output: InstanceOutput,
) {
  const limitMs = definition.settings.initializerTimeoutMs;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let over = false;
  const fail = (error: RunError) => {
    if (over) return;
    output.platform(`${error.code}: ${error.message}`);
    reject(new LoadFailure(error));
  };
  const timer = setTimeout(
    () => fail({ code: "function_init_timeout", message: `loading took longer than ${limitMs} ms` }),
    limitMs,
  );
  booted.runner.listen(
    ({ type, json }) => {
      if (type === frameTypes.loaded && JSON.parse(json).ok === true) return resolve();
      if (type === frameTypes.loaded || type === frameTypes.fatal) return fail(readFailure(json));
      fail({ code: "function_protocol", message: `frame of type ${type} while loading` });
    },
    (message) => fail({ code: "function_protocol", message }),
  );
  void booted.ended.then((exit) => {
    if (exit.outOfMemory) return fail({ code: "function_out_of_memory", message: "out of memory while loading" });
    fail({ code: "function_load_failed", message: `the process ended with ${exit.signal ?? exit.code} while loading` });
  });
  booted.runner.send(frameTypes.load, 0, JSON.stringify(settings));
  return promise.finally(() => {
    over = true;
    clearTimeout(timer);
  });
}
