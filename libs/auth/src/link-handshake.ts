import { createHmac, randomBytes } from 'node:crypto';

import { Rejection } from '@bullpen/errors';

import type { SandboxTokenClaims } from './sandbox-token.js';
import { readSandboxToken, signSandboxToken } from './sandbox-token.js';
import { tokensEqual } from './secrets.js';

/** What a runner says of itself, and the number it wants to see proved. */
export interface LinkHello extends SandboxTokenClaims {
  readonly nonce: string;
}

/** The orchestrator's number, and its proof. */
export interface LinkChallenge {
  readonly nonce: string;
  readonly proof: string;
}

export interface LinkKeys {
  /** Signs sandbox tokens. */
  readonly tokenKey: string;
  /** The address by which runners know this orchestrator. */
  readonly linkUrl: string;
}

/**
 * The runner's end of one greeting over the runner link. Both ends prove that they know the sandbox token; the token itself never crosses
 * the link, so whoever listens in the orchestrator's place learns nothing. A proof holds for one connection (both nonces), one sandbox (its
 * claims), one direction (its label) and one address (the one that was dialled): it can be neither repeated, nor returned, nor passed on to
 * another replica.
 */
export class RunnerHandshake {
  readonly hello: LinkHello;

  /** @throws Rejection `token.invalid` when the token does not have the shape of one */
  constructor(
    private readonly token: string,
    private readonly linkUrl: string,
  ) {
    this.hello = { ...readSandboxToken(token), nonce: newNonce() };
  }

  /** The runner's own proof; null when the other side is not the orchestrator, and nothing it says may be believed. */
  answer(challenge: LinkChallenge): string | null {
    const subject = { hello: this.hello, orchestratorNonce: challenge.nonce, linkUrl: this.linkUrl };
    if (!tokensEqual(challenge.proof, proofOf('orchestrator', subject, this.token))) return null;
    return proofOf('runner', subject, this.token);
  }
}

/** The orchestrator's end of the same. It proves itself to any claims; what it proves is of use to the token's holder only. */
export class OrchestratorHandshake {
  readonly challenge: LinkChallenge;
  readonly #token: string;
  readonly #subject: ProofSubject;

  constructor(hello: LinkHello, { tokenKey, linkUrl }: LinkKeys) {
    this.#token = signSandboxToken(hello, tokenKey);
    this.#subject = { hello, orchestratorNonce: newNonce(), linkUrl };
    this.challenge = { nonce: this.#subject.orchestratorNonce, proof: proofOf('orchestrator', this.#subject, this.#token) };
  }

  /**
   * The claims of a runner that holds their token. Whether the generation is still the current one is the caller's to check.
   *
   * @param now Unix time in milliseconds
   * @throws Rejection `token.invalid` (the proof was made with another token, or for another greeting), `token.expired`
   */
  verify(proof: string, now: number): SandboxTokenClaims {
    const { sandboxId, sessionId, generation, expiresAt } = this.#subject.hello;
    if (!tokensEqual(proof, proofOf('runner', this.#subject, this.#token))) {
      throw new Rejection(
        'token.invalid',
        'The runner does not hold the token of the sandbox that it names. Start a new generation of the sandbox to get a valid one.',
      );
    }
    if (expiresAt > now) return { sandboxId, sessionId, generation, expiresAt };
    throw new Rejection('token.expired', `The token of sandbox ${sandboxId} has expired. Start a new generation to get a valid one.`, {
      sandboxId,
      expiresAt,
    });
  }
}

interface ProofSubject {
  readonly hello: LinkHello;
  readonly orchestratorNonce: string;
  readonly linkUrl: string;
}

const NONCE_BYTES = 32;

function newNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/** HMAC-SHA256, base64url. JSON keeps the parts apart, whatever is in them. */
function proofOf(end: 'orchestrator' | 'runner', { hello, orchestratorNonce, linkUrl }: ProofSubject, token: string): string {
  const { sandboxId, sessionId, generation, expiresAt, nonce } = hello;
  const subject = ['bullpen runner link', end, linkUrl, sandboxId, sessionId, generation, expiresAt, nonce, orchestratorNonce];
  return createHmac('sha256', token).update(JSON.stringify(subject)).digest('base64url');
}
