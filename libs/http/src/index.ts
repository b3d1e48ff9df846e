export { type Admit, createAdmission, type HttpBounds } from "./admission.ts";
export { toHeldBytes } from "./body-bytes.ts";
export { stopGracefully } from "./graceful-stop.ts";
export { createLoad, type Load, takeUntilClosed } from "./load.ts";
export { type ErrorAnswer, toErrorHeaders, toProblem } from "./problems.ts";
export { createRates, type Rates } from "./rates.ts";
export { toServerOptions } from "./server-options.ts";
export { httpSettings, toBounds } from "./settings.ts";
export { watchLag } from "./watch-lag.ts";
