export { answerBrokenRequest } from "./broken-request.ts";
export { type OpenAnswers, stopGracefully } from "./graceful-stop.ts";
export { type ErrorAnswer, toErrorHeaders, toProblem } from "./problems.ts";
export { createRateLimiter, type RateLimiter } from "./rate-limiter.ts";
export { toServerOptions } from "./server-options.ts";
