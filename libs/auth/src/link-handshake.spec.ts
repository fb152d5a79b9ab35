import { createHmac } from 'node:crypto';

import { describe, expect, it } from '@jest/globals';
import { isRejectionOf } from '@bullpen/errors';

import { OrchestratorHandshake, RunnerHandshake } from './link-handshake.js';
import type { LinkChallenge, LinkHello } from './link-handshake.js';
import { signSandboxToken } from './sandbox-token.js';

const claims = { sandboxId: '00abc-2', sessionId: '00abc', generation: 2, expiresAt: 10_000 };
const keys = { tokenKey: 'k'.repeat(64), linkUrl: 'ws://127.0.0.1:1/runner' };
const token = signSandboxToken(claims, keys.tokenKey);

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    for (const code of ['token.invalid', 'token.expired']) if (isRejectionOf(error, code)) return code;
    throw error;
  }
  return 'accepted';
}

function greeting(runnerToken = token): { runner: RunnerHandshake; orchestrator: OrchestratorHandshake } {
  const runner = new RunnerHandshake(runnerToken, keys.linkUrl);
  return { runner, orchestrator: new OrchestratorHandshake(runner.hello, keys) };
}

/** As whoever writes a runner of their own would make it. */
function proofOf(hello: LinkHello, challenge: LinkChallenge, withToken: string): string {
  const { sandboxId, sessionId, generation, expiresAt, nonce } = hello;
  const subject = ['bullpen runner link', 'runner', keys.linkUrl, sandboxId, sessionId, generation, expiresAt, nonce, challenge.nonce];
  return createHmac('sha256', withToken).update(JSON.stringify(subject)).digest('base64url');
}

describe('the handshake of the runner link', () => {
  it('proves each to the other, without the token, until it expires', () => {
    const { runner, orchestrator } = greeting();
    const proof = runner.answer(orchestrator.challenge) ?? '';
    expect(orchestrator.verify(proof, 9_999)).toEqual(claims);
    expect(codeOf(() => orchestrator.verify(proof, 10_000))).toBe('token.expired');
    const secret = token.split('.')[2] ?? token;
    expect(JSON.stringify([runner.hello, orchestrator.challenge, proof])).not.toContain(secret);
  });

  it('refuses a runner with a token of another key, also when it has expired', () => {
    const forged = signSandboxToken(claims, 'other');
    const { runner, orchestrator } = greeting(forged);
    expect(runner.answer(orchestrator.challenge)).toBeNull();
    const proof = proofOf(runner.hello, orchestrator.challenge, forged);
    expect(codeOf(() => orchestrator.verify(proof, 0))).toBe('token.invalid');
    expect(codeOf(() => orchestrator.verify(proof, 20_000))).toBe('token.invalid');
    expect(codeOf(() => orchestrator.verify(proofOf(runner.hello, orchestrator.challenge, token), 0))).toBe('accepted');
  });

  it('refuses a runner that names another sandbox than its token', () => {
    const own = signSandboxToken({ ...claims, sandboxId: '00abd-1', sessionId: '00abd' }, keys.tokenKey);
    const hello = { ...claims, nonce: new RunnerHandshake(own, keys.linkUrl).hello.nonce };
    const orchestrator = new OrchestratorHandshake(hello, keys);
    expect(codeOf(() => orchestrator.verify(proofOf(hello, orchestrator.challenge, own), 0))).toBe('token.invalid');
  });

  it.each<[string, Partial<LinkHello>]>([
    ['sandbox', { sandboxId: '00abc-3' }],
    ['session', { sessionId: '00abd' }],
    ['generation', { generation: 3 }],
    ['expiry', { expiresAt: 20_000 }],
    ['nonce', { nonce: 'A'.repeat(43) }],
  ])('proves nothing once somebody between has changed the %s', (_name, change) => {
    const runner = new RunnerHandshake(token, keys.linkUrl);
    const orchestrator = new OrchestratorHandshake({ ...runner.hello, ...change }, keys);
    expect(runner.answer(orchestrator.challenge)).toBeNull();
  });

  it('takes no proof of an earlier greeting, in either direction', () => {
    const earlier = greeting();
    const proof = earlier.runner.answer(earlier.orchestrator.challenge) ?? '';
    const later = greeting();
    expect(codeOf(() => later.orchestrator.verify(proof, 0))).toBe('token.invalid');
    expect(later.runner.answer(earlier.orchestrator.challenge)).toBeNull();
    const again = new OrchestratorHandshake(earlier.runner.hello, keys);
    expect(codeOf(() => again.verify(proof, 0))).toBe('token.invalid');
  });

  it('takes no proof back from the one who gave it', () => {
    const { runner, orchestrator } = greeting();
    expect(codeOf(() => orchestrator.verify(orchestrator.challenge.proof, 0))).toBe('token.invalid');
    const proof = runner.answer(orchestrator.challenge) ?? '';
    expect(runner.answer({ ...orchestrator.challenge, proof })).toBeNull();
  });

  it('cannot be passed on to a replica at another address', () => {
    const runner = new RunnerHandshake(token, 'ws://127.0.0.1:2/runner');
    const orchestrator = new OrchestratorHandshake(runner.hello, keys);
    expect(runner.answer(orchestrator.challenge)).toBeNull();
  });

  it.each(['', 'x', 'A'.repeat(43), '\u0000'])('refuses the proof %j', (proof) => {
    const { runner, orchestrator } = greeting();
    expect(codeOf(() => orchestrator.verify(proof, 0))).toBe('token.invalid');
    expect(runner.answer({ nonce: orchestrator.challenge.nonce, proof })).toBeNull();
  });
});
