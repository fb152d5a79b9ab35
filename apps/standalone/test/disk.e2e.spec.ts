import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { CHECKOUT, TestPlatform, eventually, freePort, testEnvironment } from './platform.harness.js';
import { MAY_MOUNT, SmallDisk } from './small-disk.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: a disk that is full or cannot be written is said in words, costs nothing that was acknowledged, and is over by itself once there is room.
 * Method: the data folder is a disk of its own that the test uses up. Only root may make one; an ordinary user has the folder's rights taken away.
 */
const MEGABYTE = 1024 * 1024;
const asRoot = MAY_MOUNT ? describe : describe.skip;
/** Longer than one append is tried. */
const FULL_FOR_MS = 9_000;

describe('make up', () => {
  let folder: string;
  let disk: SmallDisk | null = null;
  afterEach(() => {
    disk?.unmount();
    disk = null;
    rmSync(folder, { recursive: true, force: true });
  });

  const unwritable = (): void => {
    if (MAY_MOUNT) disk = SmallDisk.mount(folder, 'size=1m,ro');
    else chmodSync(folder, 0o500);
  };

  it('names a BULLPEN_HOME that cannot be written, and what to do, within seconds', async () => {
    folder = mkdtempSync(join(tmpdir(), 'bullpen-unwritable-'));
    unwritable();
    const refused = await makeUp(join(folder, 'home'));
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringMatching(/^home\.not-writable: BULLPEN_HOME \S+unwritable\S+ cannot be written \(E\w+\)\. .*another folder\.$/m) });
    const itself = await makeUp(folder);
    expect(itself.output).toMatch(/^home\.not-writable: /m);
  }, 40_000);

  (MAY_MOUNT ? it : it.skip)('names a disk without room, how much is free and needed, and starts nothing', async () => {
    folder = mkdtempSync(join(tmpdir(), 'bullpen-no-room-'));
    disk = SmallDisk.mount(folder, 'size=20m');
    const refused = await makeUp(folder);
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringMatching(/^disk\.full: .*BULLPEN_HOME \S+no-room\S+ .*\d+ MB free, \d+ MB needed\. Free space/m) });
  }, 40_000);
});

asRoot('a disk that fills while the platform runs', () => {
  let platform: TestPlatform;
  let disk: SmallDisk;

  beforeAll(async () => {
    platform = await TestPlatform.start({}, null, ({ home }) => (disk = SmallDisk.mount(home, 'size=400m,mode=0700')));
  }, 90_000);
  afterEach(() => {
    Watcher.closeAll();
    disk.free();
  });
  afterAll(async () => {
    await platform?.stop();
    disk?.unmount();
    await platform?.remove();
  }, 60_000);

  it('refuses new work by name while little is left, changes nothing, and still deletes', async () => {
    const id = await platform.createSession('', { prompt: undefined });
    const before = await platform.session(id);
    disk.fill(100 * MEGABYTE);
    for (const [path, body] of [['/sessions', { repository: 'sample', prompt: 'x' }], [`/sessions/${id}/prompts`, { text: 'x' }]] as const) {
      const refused = await platform.api<{ code: string; detail: string }>('POST', path, body);
      expect(refused).toMatchObject({ status: 503, body: { code: 'disk.full', detail: expect.stringMatching(/\d+ MB free, 128 MB needed.*Nothing was changed\. Delete sessions or free space/) } });
      expect(refused.headers.get('retry-after')).toBe('2');
    }
    expect(await platform.session(id)).toEqual(before);
    const cli = await platform.cli(['prompt', id, 'x']);
    expect(cli).toMatchObject({ exitCode: 3, output: expect.stringMatching(/Trying again[^]*error: .*128 MB needed[^]*code: disk\.full/) });
    expect(logLines('disk.full')).not.toEqual([]);
    expect(await platform.api('DELETE', `/sessions/${id}`)).toMatchObject({ status: 200 });
    disk.free();
    expect(await platform.api('POST', '/sessions', { repository: 'sample' })).toMatchObject({ status: 201 });
  }, 60_000);

  it('to the last byte in the middle of a turn: it fails by name, what was said is kept, and all goes on once there is room', async () => {
    const id = await platform.createSession('slow: 60');
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('AssistantTextAppended');
    const running = services();
    disk.fillUp();
    await eventually('new work is refused', 10_000, async () => (await platform.api('POST', `/sessions/${id}/prompts`, { text: 'x' })).status === 503);
    await new Promise((resolve) => setTimeout(resolve, FULL_FOR_MS));
    expect(watcher.has('TurnEnded')).toBe(false);
    expect((await platform.session(id)).turns).toHaveLength(1);
    disk.free();
    const { data } = await watcher.sees('TurnEnded', undefined, 60_000);
    // The agent writes too, and does not wait: it fails, unless it had nothing to write meanwhile.
    if (data['outcome'] !== 'completed') expect(data).toMatchObject({ outcome: 'failed', reason: { code: 'disk.full', message: expect.stringMatching(/Free space.*retry/) } });
    expect(watcher.faults).toEqual([]);
    expect((await platform.api<{ events: unknown[] }>('GET', `/sessions/${id}/events?after=0`)).body.events).toEqual(watcher.events);
    expect(await platform.api('POST', `/sessions/${id}/prompts`, { text: 'write again.txt: yes' })).toMatchObject({ status: 202 });
    await eventually('the next turn completes', 30_000, () => watcher.events.filter(({ type, data: end }) => type === 'TurnEnded' && end['outcome'] === 'completed').length > (data['outcome'] === 'completed' ? 1 : 0));
    expect(watcher.faults).toEqual([]);
    expect(platform.output).toMatch(/NATS is started anew: .*no space left/);
    expect(platform.output).not.toContain('does not start');
    expect(services()).toEqual(running);
  }, 120_000);

  it('objects that cannot be written are waited for: the turn completes once they can', async () => {
    const objects = SmallDisk.mount(join(platform.home, 'objects'), 'size=1m,ro');
    const id = await platform.createSession('write b.txt: b');
    const watcher = Watcher.follow(platform, id);
    await eventually('the log names it', 20_000, () => logLines('object-store.unavailable').length > 0);
    expect(watcher.has('TurnEnded')).toBe(false);
    objects.unmount();
    await watcher.sees('TurnEnded', ({ data }) => data['outcome'] === 'completed', 30_000);
    expect(watcher.faults).toEqual([]);
  }, 60_000);

  function services(): unknown {
    const names = ['platform', 'session', 'gateway', 'orchestrator'];
    return Object.entries(platform.runFile.processes).filter(([name]) => names.includes(name));
  }

  function logLines(code: string): string[] {
    const names = Object.keys(platform.runFile.processes);
    const lines = names.flatMap((name) => readFileSync(join(platform.home, 'logs', `${name}.log`), 'utf8').split('\n'));
    return lines.filter((line) => line.includes(`"code":"${code}"`));
  }
});

async function makeUp(home: string): Promise<{ exitCode: number | null; output: string }> {
  const script = join(CHECKOUT, 'apps/standalone/dist/supervisor.js');
  const env = testEnvironment({ BULLPEN_HOME: home, BULLPEN_PORT: String(await freePort()) });
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, 'up'], { env, timeout: 10_000 }, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode, output: stdout + stderr }),
    );
  });
}
