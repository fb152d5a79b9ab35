import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { RunnerFrame } from '@bullpen/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Spool } from './spool.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spool-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const frame = (text: string) => ({
  turnId: 't',
  event: { type: 'AssistantTextAppended' as const, data: { partId: '1.1', offset: 0, text } },
});
const read = async (spool: Spool, n: number) =>
  (await spool.readAfter(n, 100, 1_000_000)).map(({ json }) => JSON.parse(json) as RunnerFrame);

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
};

describe('Spool', () => {
  it('has frames on disk in the order of the calls once append resolves', async () => {
    const spool = await Spool.open(join(folder, 's'));
    const appended = await Promise.all([spool.append([frame('a'), frame('b')]), spool.append([frame('c')])]);
    expect(appended).toEqual([2, 3]);
    const lines = (await readFile(join(folder, 's', 'frames-1.jsonl'), 'utf8')).trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as RunnerFrame).n)).toEqual([1, 2, 3]);
    expect((await read(spool, 1)).map(({ n, data }) => [n, data['text']])).toEqual([
      [2, 'b'],
      [3, 'c'],
    ]);
    await spool.close();
  });

  (process.getuid?.() === 0 ? it : it.skip)('waits for a full disk, says so once, and then writes what came, in order (only root may make one)', async () => {
    const place = join(folder, 'disk');
    await mkdir(place);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'bullpen-test', place]);
    try {
      const spool = await Spool.open(place);
      let told = 0;
      spool.onDiskFull = () => (told += 1);
      await spool.append([frame('a')]);
      await writeFile(join(place, 'filler'), Buffer.alloc(64 * 1024)).catch(() => undefined);
      const waiting = [spool.append([frame('b'.repeat(10_000))]), spool.append([frame('c')])];
      await until(() => told > 0);
      expect(await read(spool, 1)).toEqual([]);
      await rm(join(place, 'filler'));
      expect(await Promise.all(waiting)).toEqual([2, 3]);
      expect((await read(spool, 0)).map(({ n, data }) => [n, String(data['text'])[0]])).toEqual([[1, 'a'], [2, 'b'], [3, 'c']]);
      expect(told).toBe(1);
      await spool.close();
    } finally {
      execFileSync('umount', ['--lazy', place]);
    }
  });

  it('waits while it is full, and goes on when the log has caught up: nothing is dropped', async () => {
    const spool = await Spool.open(join(folder, 's'), 1_000);
    await spool.append([frame('x'.repeat(900))]);
    let done = false;
    const second = spool.append([frame('y'.repeat(900))]).then((n) => ((done = true), n));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(done).toBe(false);
    await spool.acknowledge(1);
    expect(await second).toBe(2);
    expect((await read(spool, 0)).map(({ n }) => n)).toEqual([2]);
    await spool.close();
  });

  it('takes a frame that is larger than itself when it is empty', async () => {
    const spool = await Spool.open(join(folder, 's'), 100);
    expect(await spool.append([frame('x'.repeat(900))])).toBe(1);
    await spool.close();
  });

  it('removes files whose frames are acknowledged', async () => {
    const spool = await Spool.open(join(folder, 's'));
    for (let i = 0; i < 3; i += 1) await spool.append([frame('x'.repeat(5 * 1024 * 1024))]);
    expect(await readdir(join(folder, 's'))).toHaveLength(3);
    await spool.acknowledge(2);
    expect(await readdir(join(folder, 's'))).toEqual(['frames-3.jsonl']);
    await spool.acknowledge(3);
    expect(await read(spool, 3)).toEqual([]);
    await spool.close();
  });

  it('keeps what is not acknowledged while acknowledgements overtake each other', async () => {
    const spool = await Spool.open(join(folder, 's'));
    const files = 8;
    for (let i = 0; i < files; i += 1) await spool.append([frame('x'.repeat(5 * 1024 * 1024))]);
    await Promise.all([spool.acknowledge(1), spool.acknowledge(4)]);
    expect((await spool.readAfter(4, 100, Infinity)).map(({ n }) => n)).toEqual([5, 6, 7, 8]);
    await spool.close();
  });

  it('tells when a frame is acknowledged', async () => {
    const spool = await Spool.open(join(folder, 's'));
    const n = await spool.append([frame('a')]);
    const acknowledged = spool.acknowledged(n);
    await spool.acknowledge(n);
    await acknowledged;
    await spool.close();
  });
});
