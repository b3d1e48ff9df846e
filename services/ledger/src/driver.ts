import type { Action, Core, CoreEvent, CoreView, Now } from "./core/index.ts";

/** Feeds events to the core one after the other and has its actions performed in order. */
export interface Driver {
  apply(event: CoreEvent): void;
  readonly view: CoreView;
}

/**
 * An action that gives rise to an event at once does not re-enter the core: the event waits its turn. `perform` must not
 * throw.
 */
export function createDriver(core: Core, now: () => Now, perform: (action: Action) => void): Driver {
  const waiting: CoreEvent[] = [];
  let applying = false;
  return {
    view: core.view,
    apply(event) {
      waiting.push(event);
      if (applying) return;
      applying = true;
      try {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          for (const action of core.apply(next, now())) perform(action);
        }
      } finally {
        applying = false;
      }
    },
  };
}
