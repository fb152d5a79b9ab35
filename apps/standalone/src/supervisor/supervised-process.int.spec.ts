import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { LogFile } from './logs.js';
import { identify, isAlive, waitUntilGone, type ProcessIdentity } from './processes.js';
import { SupervisedProcess, type Part } from './supervised-process.js';

const WAIT_MS = 10_000;

let folder: string;
let said: string[];
let recorded: (ProcessIdentity | null)[];
let gaveUp: string[];
let supervised: SupervisedProcess;
let obstacle: Error | null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bullpen-supervised-'));
  [said, recorded, gaveUp, obstacle] = [[], [], [], null];
});
afterEach(async () => {
  await supervised.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A child that runs this source, ready once it has written the file `ready`. */
function supervise(source: string, given: Partial<Part> = {}): SupervisedProcess {
  const part: Part = {
    name: 'nats',
    title: 'child',
    prepare: async () => ({ command: process.execPath, args: ['-e', source], env: { READY: join(folder, 'ready') } }),
    ready: () => until(() => read('ready') !== ''),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 2_000,
    ...given,
  };
  supervised = new SupervisedProcess(part, {
    log: new LogFile(folder, 'child'),
    record: (identity) => recorded.push(identity),
    say: (line) => said.push(line),
    giveUp: (error) => gaveUp.push(error.message),
    obstacle: () => obstacle,
  });
  return supervised;
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + WAIT_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('it did not become so');
    await delay(20);
  }
}

function read(name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch {
    return '';
  }
}

const current = (): ProcessIdentity => recorded.findLast((identity) => identity !== null) as ProcessIdentity;
const READY = `require('fs').appendFileSync(process.env.READY, process.pid + '\\n');`;
const FOR_EVER = 'setInterval(() => undefined, 1000);';

describe('SupervisedProcess', () => {
  it('starts again what was killed, as another process, and says so', async () => {
    await supervise(READY + FOR_EVER).start();
    const first = current();
    writeFileSync(join(folder, 'ready'), '');
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.some((line) => line.includes('is back')));
    expect(said[0]).toBe('child died (SIGKILL), starting it again');
    expect(current().pid).not.toBe(first.pid);
    expect(isAlive(first)).toBe(false);
    expect(isAlive(current())).toBe(true);
  });

  it('keeps ended what it stops, and leaves nothing running', async () => {
    await supervise(READY + FOR_EVER).start();
    expect(await supervised.stop()).toBe('gone');
    await delay(600);
    expect(isAlive(current())).toBe(false);
    expect(said).toEqual([]);
    expect(recorded.at(-1)).toBeNull();
  });

  it('kills what does not end in time, children in its group included', async () => {
    const grandchild = `const c = require('child_process').spawn('sleep', ['60'], {stdio: 'ignore'}); require('fs').writeFileSync(process.env.READY + '.child', String(c.pid));`;
    await supervise(`process.on('SIGTERM', () => undefined); ${grandchild} ${READY} ${FOR_EVER}`, { stopTimeoutMs: 200 }).start();
    expect(await supervised.stop()).toBe('killed');
    expect(await waitUntilGone({ pid: Number(read('ready.child')), startTime: 'any' }, 2_000)).toBe(true);
  });

  it('tells why it does not start: how it ended, and its last words', async () => {
    const start = supervise(`console.error('no disk left'); process.exit(7)`, { ready: () => delay(WAIT_MS, undefined, { ref: false }) }).start();
    await expect(start).rejects.toThrow(/exit code 7[\s\S]*no disk left/);
  });

  it('tells when the program is missing', async () => {
    const missing = { command: join(folder, 'absent'), args: [], env: {} };
    await expect(supervise('', { prepare: async () => missing }).start()).rejects.toThrow(/ENOENT/);
  });

  it('stops in the middle of a start', async () => {
    const start = supervise(FOR_EVER, { ready: () => delay(WAIT_MS, undefined, { ref: false }) }).start();
    start.catch(() => undefined);
    await until(() => recorded.length > 0);
    await supervised.stop();
    expect(isAlive(current())).toBe(false);
    await expect(start).rejects.toThrow();
  });

  it('waits with the next start for what stands in its way, and counts that as no failure', async () => {
    await supervise(READY + FOR_EVER).start();
    obstacle = new Error('the disk is full');
    const first = current();
    process.kill(first.pid, 'SIGKILL');
    await until(() => said.includes('child waits: the disk is full'));
    await supervised.restart('not well');
    expect(current()).toEqual(first);
    obstacle = null;
    await until(() => said.some((line) => line.includes('is back')));
    expect(gaveUp).toEqual([]);
  });

  it('gives up over no start that fails on what stands in its way', async () => {
    let starts = 0;
    const ready = async (): Promise<void> => {
      starts += 1;
      if (starts === 1 || starts > 8) return;
      obstacle = new Error('the disk is full');
      setTimeout(() => (obstacle = null), 100);
      throw new Error('no room');
    };
    await supervise(FOR_EVER, { ready }).start();
    process.kill(current().pid, 'SIGKILL');
    await until(() => said.some((line) => line.includes('is back')));
    expect(gaveUp).toEqual([]);
  });

  it('starts anew what is not well, once for each time', async () => {
    await supervise(READY + FOR_EVER).start();
    const first = current();
    await Promise.all([supervised.restart('it stores nothing'), supervised.restart('it stores nothing')]);
    await until(() => said.some((line) => line.includes('is back')));
    expect(said.filter((line) => line === 'child is started anew: it stores nothing')).toHaveLength(1);
    expect(current().pid).not.toBe(first.pid);
  });

  it('adopts what serves, starts it again when it dies, and ends it when stopped', async () => {
    const orphan = spawn(process.execPath, ['-e', READY + FOR_EVER], { env: { READY: join(folder, 'ready') }, detached: true, stdio: 'ignore' });
    const identity = identify(orphan.pid ?? 0) as ProcessIdentity;
    expect(await supervise(READY + FOR_EVER).adopt(identity)).toBe(true);
    orphan.kill('SIGKILL');
    await until(() => said.some((line) => line.includes('is back')));
    expect(current().pid).not.toBe(identity.pid);
    await supervised.stop();
    expect(isAlive(current())).toBe(false);
  });

  it('ends instead what does not serve', async () => {
    const orphan = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    const identity = identify(orphan.pid ?? 0) as ProcessIdentity;
    expect(await supervise('', { ready: () => Promise.reject(new Error('no')) }).adopt(identity)).toBe(false);
    expect(isAlive(identity)).toBe(false);
  });

  it('passes on PATH, HOME and what the part says, and nothing else', async () => {
    await supervise(`require('fs').writeFileSync(process.env.READY, Object.keys(process.env).sort().join()); ${FOR_EVER}`).start();
    expect(read('ready')).toBe('HOME,PATH,READY');
  });
});
