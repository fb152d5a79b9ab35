export { LOCAL_ORGANISATION_ID } from './organisation.js';
export { SIGN_IN_CODE_MS, mintSignInCode, redeemSignInCode } from './sign-in-codes.js';
export { newSecret, tokensEqual } from './secrets.js';
export { readSandboxToken, signSandboxToken } from './sandbox-token.js';
export type { SandboxTokenClaims } from './sandbox-token.js';
export { OrchestratorHandshake, RunnerHandshake } from './link-handshake.js';
export type { LinkChallenge, LinkHello, LinkKeys } from './link-handshake.js';
