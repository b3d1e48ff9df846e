import type { EnvelopePlace, InvocationState, RegisteredFunction } from "@fnbus/contract";
import type { CoreView } from "../core/index.ts";
import type { Frames } from "../envelopes/frames.ts";
import type { Projection } from "../projection/projection.ts";

/** What answers are made from. */
export interface Sources {
  view: CoreView;
  frames: Frames;
  projection: Pick<Projection, "ask" | "passed">;
  functionById(registryId: string): RegisteredFunction | undefined;
  /** Resolves when everything that stood in both logs at the time of the call is read; false: not in time (L29). */
  logsRead(): Promise<boolean>;
  /** Resolves when everything that stood in both logs at the time of the call is read and projected; false: not in time (L29). */
  caughtUp(): Promise<boolean>;
  /** Resolves when every end that the core knows of at the time of the call is projected; false: not in time. */
  projected(): Promise<boolean>;
  /** Body of an entry of OUTCOMES; undefined: trimmed. */
  readResult(sequence: number, index: number): Promise<Uint8Array | undefined>;
  /** Frame of an envelope in PARKED; undefined: no longer kept. */
  readKept(id: string, place: EnvelopePlace): Promise<Uint8Array | undefined>;
  /** Appended before it answers (L18); undefined: no such invocation. */
  cancel(id: string): Promise<InvocationState | undefined>;
}
