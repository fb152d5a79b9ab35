import { mkdtempSync, readdirSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { SIGN_IN_CODE_MS } from '@bullpen/auth';

import { TOKEN, startTestGateway } from '../../../test/gateway.harness.js';
import type { TestGateway } from '../../../test/gateway.harness.js';
import { MemoryEventLog } from '../../../test/memory-event-log.js';

const root = mkdtempSync(join(tmpdir(), 'bullpen-sign-in-'));
const codes = join(root, 'codes');
/** Two over one folder: a code of one is as good at the other. */
let gateways: readonly [TestGateway, TestGateway];
let withoutCodes: TestGateway;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: { readonly code?: string; readonly key?: string; readonly validForMs?: number };
}

async function post(gateway: TestGateway, path: string, body?: object, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  const answer = await fetch(`${gateway.url}/api/v1${path}`, {
    method: 'POST',
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, headers: answer.headers, body: (await answer.json()) as Answer['body'] };
}

const mint = async (gateway: TestGateway): Promise<string> =>
  String((await post(gateway, '/sign-in-codes', undefined, { authorization: `Bearer ${TOKEN}` })).body.code);

async function expectRefused(answer: Promise<Answer>): Promise<void> {
  const { status, body } = await answer;
  expect({ status, code: body.code }).toEqual({ status: 401, code: 'sign-in.code-invalid' });
  expect(JSON.stringify(body)).not.toContain(TOKEN);
}

beforeAll(async () => {
  const log = new MemoryEventLog();
  gateways = [await startTestGateway(log, { BULLPEN_SIGN_IN_CODES: codes }), await startTestGateway(log, { BULLPEN_SIGN_IN_CODES: codes })];
  withoutCodes = await startTestGateway(log);
});
afterAll(async () => {
  for (const gateway of [...gateways, withoutCodes]) await gateway.stop();
  rmSync(root, { recursive: true, force: true });
});

describe('signing a browser in', () => {
  it('exchanges a code for the key once, at any gateway, without a cookie', async () => {
    const code = await mint(gateways[0]);
    const { status, headers, body } = await post(gateways[1], '/sign-in', { code });
    expect({ status, body }).toEqual({ status: 200, body: { key: TOKEN } });
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    await expectRefused(post(gateways[0], '/sign-in', { code }));
    await expectRefused(post(gateways[1], '/sign-in', { code }));
  });

  it('lets one of many who come with the same code at once in', async () => {
    const code = await mint(gateways[0]);
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => post(gateways[n % 2 === 0 ? 0 : 1], '/sign-in', { code })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('refuses a code that is too old', async () => {
    const code = await mint(gateways[0]);
    const then = (Date.now() - SIGN_IN_CODE_MS - 1_000) / 1_000;
    for (const name of readdirSync(codes)) utimesSync(join(codes, name), then, then);
    await expectRefused(post(gateways[0], '/sign-in', { code }));
  });

  it.each(['no such code', '../codes', TOKEN, '.'])('refuses %p, and says how to get a good one', async (code) => {
    const answer = post(gateways[0], '/sign-in', { code });
    expect(JSON.stringify((await answer).body)).toContain('./bullpen open');
    await expectRefused(answer);
  });

  it.each([{}, { code: '' }, { code: 7 }, { code: 'x'.repeat(300) }])('calls %p malformed', async (body) => {
    expect((await post(gateways[0], '/sign-in', body)).status).toBe(400);
  });

  it('makes codes for who has the key alone', async () => {
    expect(await post(gateways[0], '/sign-in-codes')).toMatchObject({ status: 401, body: { code: 'auth.missing' } });
    const made = await post(gateways[0], '/sign-in-codes', undefined, { authorization: `Bearer ${TOKEN}` });
    expect(made).toMatchObject({ status: 201, body: { code: expect.stringMatching(/^[0-9a-f]{64}$/), validForMs: SIGN_IN_CODE_MS } });
  });

  it('is refused to pages of another origin', async () => {
    const code = await mint(gateways[0]);
    const foreign = await post(gateways[0], '/sign-in', { code }, { origin: 'http://127.0.0.1:3000' });
    expect(foreign).toMatchObject({ status: 403, body: { code: 'origin.foreign' } });
    expect((await post(gateways[0], '/sign-in', { code })).status).toBe(200);
  });

  it('is possible by the token alone where there is no folder for codes', async () => {
    const made = await post(withoutCodes, '/sign-in-codes', undefined, { authorization: `Bearer ${TOKEN}` });
    expect(made).toMatchObject({ status: 404, body: { code: 'sign-in.switched-off' } });
    await expectRefused(post(withoutCodes, '/sign-in', { code: '0'.repeat(64) }));
  });
});
