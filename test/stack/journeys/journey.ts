import type { Stack, StackOptions } from "../stack.ts";

/** One way through the platform that somebody may take, with what must be true of it. Written once, made on every kind of stack. */
export interface Journey {
  name: string;
  /** The invariants of the architecture that it shows. */
  shows: string;
  needs?: StackOptions;
  /** Why it cannot be made on this machine: a server that is not there. */
  impossible?(): string | undefined;
  travel(stack: Stack): Promise<void>;
}
