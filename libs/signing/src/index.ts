export { type CallbackFacts, signCallback, type Verification, verifyCallback } from "./callback-signature.ts";
export { deriveSpaceSecret } from "./space-secret.ts";
