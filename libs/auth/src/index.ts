export { LOCAL_ORGANISATION_ID } from './organisation.js';
export { newSecret, tokensEqual } from './secrets.js';
export { signSandboxToken, verifySandboxToken } from './sandbox-token.js';
export type { SandboxTokenClaims } from './sandbox-token.js';
