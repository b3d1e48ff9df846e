export { type CallbackFacts, signCallback, type Verification, verifyCallback } from "./callback-signature.ts";
export { checkAccess, checkLife, isSecret, maySee, toCaller } from "./credentials.ts";
export { deriveSpaceSecret } from "./space-secret.ts";
