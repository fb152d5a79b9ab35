import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { freePort, startTestPostgres } from '@bullpen/testing';
import type { TestPostgres } from '@bullpen/testing';

import { requirePostgres, requireVersion } from './postgres-probe.js';

let postgres: TestPostgres;

beforeAll(async () => {
  postgres = await startTestPostgres();
}, 60_000);
afterAll(() => postgres.stop());

function changed(change: (url: URL) => void): string {
  const url = new URL(postgres.url);
  change(url);
  return url.href;
}

async function refusal(url: string): Promise<{ code: string; message: string }> {
  return requirePostgres({ url, patienceMs: 0 }).then(
    () => ({ code: 'none', message: '' }),
    (error: unknown) => error as { code: string; message: string },
  );
}

describe('requirePostgres', () => {
  it('takes a server that can be used', async () => {
    await requirePostgres({ url: postgres.url });
  });

  it.each(['garbage', 'mysql://u:s3cret@h/d', 'postgres://u:s3cret%zz@h/d'])('refuses %j as no address, without repeating it', async (url) => {
    const error = await refusal(url);
    expect(error).toMatchObject({ code: 'postgres.url', message: expect.stringContaining('DATABASE_URL') as unknown });
    expect(error.message).not.toContain('s3cret');
  });

  it('tells a wrong password, a missing database and a missing privilege apart, and prints no password', async () => {
    const admin = new pg.Client(postgres.url);
    await admin.connect();
    await admin.query(`CREATE ROLE guest LOGIN PASSWORD 'guest-s3cret'`);
    await admin.end();
    const errors = await Promise.all([
      refusal(changed((url) => (url.password = 's3cret'))),
      refusal(changed((url) => (url.password = ''))),
      refusal(changed((url) => (url.pathname = '/nowhere'))),
      refusal(changed((url) => Object.assign(url, { username: 'guest', password: 'guest-s3cret' }))),
    ]);
    expect(errors.map(({ code }) => code)).toEqual(['postgres.login', 'postgres.login', 'postgres.database', 'postgres.privilege']);
    for (const { message } of errors) {
      expect(message).toMatch(/127\.0\.0\.1:\d+ \(DATABASE_URL, database \w+\)/);
      expect(message).not.toContain('s3cret');
    }
  });

  it('says of a server that is away, or is no Postgres, what happened, within seconds', async () => {
    const away = await freePort();
    expect(await refusal(changed((url) => (url.port = String(away))))).toMatchObject({ code: 'postgres.unreachable', message: expect.stringContaining('ECONNREFUSED') as unknown });
    const mute = createServer().listen(0, '127.0.0.1');
    await once(mute, 'listening');
    const { port } = mute.address() as AddressInfo;
    const began = Date.now();
    expect(await refusal(changed((url) => (url.port = String(port))))).toMatchObject({ code: 'postgres.unreachable', message: expect.stringMatching(/timeout/i) as unknown });
    expect(Date.now() - began).toBeLessThan(8_000);
    mute.close();
  }, 15_000);

  it('refuses a version that is too old, naming both', () => {
    const where = { server: 'h:1', user: 'u', database: 'd' };
    expect(() => requireVersion(where, '13.9', 130_009)).toThrow(/13\.9.*14 or newer/);
    expect(() => requireVersion(where, '14.0', 140_000)).not.toThrow();
  });
});
