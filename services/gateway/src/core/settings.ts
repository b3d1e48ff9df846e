import { defaultSettings, FnbusError, type FunctionSettings, limits } from "@fnbus/contract";
import { checkFunctionOptions } from "@fnbus/sources";
import type { Entrypoint } from "./handler.ts";

/** Settings as a caller may send them: whatever is left out stays as it is, or takes its default. */
export type SettingsInput = Partial<
  Omit<FunctionSettings, "concurrency" | "retry" | "options"> & {
    concurrency: Partial<FunctionSettings["concurrency"]>;
    retry: Partial<FunctionSettings["retry"]>;
    options: FunctionSettings["options"];
  }
>;

/** Settings of a new function. Throws `limit_out_of_range`, `topic_filter_invalid`, `schedule_*`. */
export const toSettings = (input: SettingsInput, entrypoint: Entrypoint): FunctionSettings =>
  mergeSettings({ ...defaultSettings, ...entrypoint }, input);

/** Settings after a change. Groups (concurrency, retry, options) are merged field by field, the environment is replaced. */
export function mergeSettings(before: FunctionSettings, input: SettingsInput): FunctionSettings {
  const { concurrency, retry, options, ...rest } = input;
  const settings: FunctionSettings = {
    ...before,
    ...rest,
    concurrency: { ...before.concurrency, ...concurrency },
    retry: { ...before.retry, ...retry },
    options: { ...before.options, ...options },
  };
  checkSettings(settings);
  if (options) checkFunctionOptions(options);
  return settings;
}

/** What a schema alone cannot say. Throws `limit_out_of_range`. */
export function checkSettings(settings: FunctionSettings): void {
  const names = Object.keys(settings.environment);
  const bytes = names.reduce(
    (sum, name) => sum + Buffer.byteLength(name) + Buffer.byteLength(settings.environment[name]!),
    0,
  );
  if (names.length > limits.environmentCount) refuse("environment", "variables", names.length, limits.environmentCount);
  if (bytes > limits.environmentBytes) refuse("environment", "bytes", bytes, limits.environmentBytes);
  if (settings.timeoutMs > settings.maxAgeMs)
    refuse("timeoutMs", "ms, which is maxAgeMs", settings.timeoutMs, settings.maxAgeMs);
  if (settings.concurrency.prestart > settings.concurrency.limit)
    refuse("concurrency.prestart", "", settings.concurrency.prestart, settings.concurrency.limit);
  if (settings.retry.firstDelayMs > settings.retry.maxDelayMs)
    refuse("retry.firstDelayMs", "ms, which is maxDelayMs", settings.retry.firstDelayMs, settings.retry.maxDelayMs);
}

function refuse(field: string, unit: string, found: number, maximum: number): never {
  throw new FnbusError("limit_out_of_range", `${field} may be at most ${maximum} ${unit}`.trim(), {
    details: { field, found, maximum },
  });
}
