import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { natsBinary, waitForNats } from '@bullpen/embedded';
import { connectEventLog, newEntityId } from '@bullpen/event-log';
import type { Lane } from '@bullpen/event-log';
import { freePort, startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';
import { silentLogger } from '@bullpen/telemetry';

import { prepareEventStream } from './given-servers.js';
import { homeAt, prepareHome, type Home, type Secrets } from './home.js';
import type { Installation } from './platform-environment.js';
import { loadSettings } from './settings.js';

let nats: TestNats;
let home: Home;

beforeAll(async () => {
  nats = await startTestNats();
}, 60_000);
afterAll(() => nats.stop());
beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'bullpen-given-')));
  prepareHome(home);
});
afterEach(() => rmSync(home.folder, { recursive: true, force: true }));

const OTHER = 'x'.repeat(32);

function installation(natsAddress: string, passwords: Partial<Secrets> = {}): Installation {
  const secrets = { natsSession: OTHER, natsOrchestrator: OTHER, natsGateway: OTHER, natsAdmin: OTHER, postgres: 'p', rpc: 'r', sandbox: 's', ...passwords };
  return { settings: loadSettings({ NATS_URL: natsAddress }), home, secrets, token: 't', user: { name: 'n', email: 'e' }, ports: {} as Installation['ports'] };
}

const withLogin = (user: string, password: string): string => nats.url.replace('//', `//${user}:${password}@`);

describe('prepareEventStream on a server that is given', () => {
  it('logs in with its credentials when the URL has some, and says what is then not enforced', async () => {
    const notices = await prepareEventStream(installation(withLogin('admin', nats.passwords.admin)));
    expect(notices).toEqual([expect.stringMatching(/^Durability unverified.*sync_interval/), expect.stringMatching(/credentials in NATS_URL/)]);
    expect(notices.join()).not.toContain(nats.passwords.admin);
  });

  it('says which users and variables a server needs, and where a ready configuration is', async () => {
    const refused = prepareEventStream(installation(nats.url));
    await expect(refused).rejects.toMatchObject({ code: 'log.not-authorized' });
    for (const text of ['NATS_ADMIN_PASSWORD', 'SESSION_NATS_PASSWORD', 'ORCHESTRATOR_NATS_PASSWORD', 'GATEWAY_NATS_PASSWORD', 'nats.conf.example']) {
      await expect(refused).rejects.toThrow(text);
    }
    const example = join(home.folder, 'nats.conf.example');
    expect(readFileSync(example, 'utf8')).toMatch(/user: orchestrator, password: "x{32}", permissions/);
    expect(statSync(example).mode & 0o777).toBe(0o600);
  });

  it('finds the one service whose password is wrong before anything is started', async () => {
    const { admin, session, orchestrator } = nats.passwords;
    const given = { natsAdmin: admin, natsSession: session, natsOrchestrator: orchestrator };
    await expect(prepareEventStream(installation(nats.url, given))).rejects.toThrow(/refuses the user gateway.*GATEWAY_NATS_PASSWORD/);
    expect(await prepareEventStream(installation(nats.url, { ...given, natsGateway: nats.passwords.gateway }))).toHaveLength(1);
  });

  it('names NATS_URL when its credentials are wrong, or nothing answers, without a password', async () => {
    const wrong = prepareEventStream(installation(withLogin('admin', 's3cret')));
    await expect(wrong).rejects.toMatchObject({ code: 'log.not-authorized', message: expect.stringMatching(/^(?!.*s3cret).*NATS_URL/) as unknown });
    const away = prepareEventStream(installation(`nats://bp:s3cret@127.0.0.1:${await freePort()}`));
    await expect(away).rejects.toMatchObject({ code: 'log.unavailable', message: expect.stringMatching(/^(?!.*s3cret).*127\.0\.0\.1.*NATS_URL/) as unknown });
  }, 30_000);

  it('warns of a server that asks nobody for a password, and refuses one without JetStream', async () => {
    const port = await freePort();
    for (const [flags, check] of [
      [[], async () => await expect(prepareEventStream(installation(`nats://127.0.0.1:${port}`))).rejects.toMatchObject({ code: 'nats.no-jetstream' })],
      [['-js', '-sd', home.nats], async () => expect((await prepareEventStream(installation(`nats://127.0.0.1:${port}`)))[1]).toMatch(/asks for no password/)],
    ] as const) {
      const server = spawn(natsBinary(), ['-a', '127.0.0.1', '-p', String(port), ...flags], { stdio: 'ignore' });
      await waitForNats({ port });
      await check();
      server.kill('SIGTERM');
      await once(server, 'exit');
    }
  }, 30_000);

  it('says of one at a limit of its own that it is full, at once, and stores nothing', async () => {
    const port = await freePort();
    const config = join(home.folder, 'limited.conf');
    writeFileSync(config, `listen: "127.0.0.1:${port}"\njetstream { store_dir: ${JSON.stringify(home.nats)}, max_file_store: 100KB }`);
    const server = spawn(natsBinary(), ['--config', config], { stdio: 'ignore' });
    await waitForNats({ port });
    const url = `nats://127.0.0.1:${port}`;
    await prepareEventStream(installation(url));
    const log = await connectEventLog({ url, user: 'session', password: OTHER, logger: silentLogger });
    const lane: Lane = { entity: 'session', id: newEntityId(), name: 'core' };
    const event = { type: 'SessionRenamed', v: 1, at: '2026-01-01T00:00:00.000Z', actor: { kind: 'user', id: 'u', name: 'U' }, data: { title: 'x'.repeat(10_000) } } as const;
    const fill = async (expected: number, key: number): Promise<never> => fill((await log.append({ lane, expected, key: String(key), events: [event] })).sequence, key + 1);
    await expect(fill(0, 1)).rejects.toMatchObject({ code: 'log.full', message: expect.stringMatching(/nothing was changed.*limits of its NATS server/) as unknown });
    expect((await log.laneEnd(lane)).sequence).toBe(await log.lastSequence());
    await log.close();
    server.kill('SIGTERM');
    await once(server, 'exit');
  }, 30_000);
});
