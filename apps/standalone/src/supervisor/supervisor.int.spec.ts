import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from '@jest/globals';

import { homeAt, prepareHome } from './home.js';
import { identify, isAlive, type ProcessIdentity } from './processes.js';
import { readRun, writeRun } from './run-file.js';
import { loadSettings } from './settings.js';
import { Supervisor } from './supervisor.js';

async function leftover(): Promise<ProcessIdentity> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const identity = identify(child.pid ?? 0);
  if (identity === null) throw new Error('sleep does not run');
  return identity;
}

it('ends what a killed supervisor left, also when told to stop while it still sorts that out', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bullpen-supervisor-'));
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  try {
    const home = homeAt(folder);
    prepareHome(home);
    const processes = { nats: await leftover(), gateway: await leftover() };
    writeRun(home, { url: '', ports: {}, supervisor: null, processes });
    const settings = loadSettings({ BULLPEN_HOME: folder, BULLPEN_PORT: String((taken.address() as AddressInfo).port) });
    const supervisor = new Supervisor(settings, { say: () => undefined, giveUp: () => undefined });
    const started = supervisor.start();
    started.catch(() => undefined);
    await supervisor.stop();
    expect(Object.values(processes).filter(isAlive)).toEqual([]);
    expect(readRun(home)?.processes).toEqual({});
    await expect(started).rejects.toMatchObject({ code: 'port.taken' });
  } finally {
    taken.close();
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);
