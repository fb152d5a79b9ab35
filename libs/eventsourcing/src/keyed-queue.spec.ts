import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';

import { KeyedQueue } from './keyed-queue.js';

const MAX_WAIT_MS = 50;
/** Where nothing is to run out, on a busy machine too. */
const PATIENT_MS = 10_000;

describe('KeyedQueue', () => {
  const queue = (maxWaitMs = PATIENT_MS) => new KeyedQueue(2, maxWaitMs);

  it('runs the work of one key in order, whatever fails, and of another beside it', async () => {
    const line = queue();
    const done: string[] = [];
    const work = (name: string, ms: number) => async (): Promise<void> => {
      await delay(ms);
      done.push(name);
      if (name === 'one') throw new Error(name);
    };
    const all = [line.run('a', work('one', 30)), line.run('a', work('two', 0)), line.run('b', work('beside', 0))];
    expect((await Promise.allSettled(all)).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
    expect(done).toEqual(['beside', 'one', 'two']);
  });

  it('refuses more than may wait, and takes more once they are done', async () => {
    const line = queue();
    const first = [line.run('a', () => delay(5)), line.run('a', () => delay(5))];
    await expect(line.run('a', () => delay(5))).rejects.toMatchObject({ name: 'Fault', code: 'command.busy' });
    await Promise.all(first);
    await line.run('a', () => delay(0));
  });

  it('never begins what waited too long', async () => {
    const line = queue(MAX_WAIT_MS);
    const slow = line.run('a', () => delay(3 * MAX_WAIT_MS));
    let begun = false;
    const late = line.run('a', async () => void (begun = true));
    await expect(late).rejects.toMatchObject({ name: 'Fault', code: 'command.busy' });
    await slow;
    expect(begun).toBe(false);
    await line.run('a', async () => void (begun = true));
    expect(begun).toBe(true);
  });
});
