import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { Fault, Rejection } from '@bullpen/errors';
import { silentLogger } from '@bullpen/telemetry';

import { backoffMs, startReconciler } from './reconciler.js';
import type { ReconcilerOptions, StepResult } from './reconciler.js';

const DONE: StepResult = { againAfterMs: null };
const FAST = { firstMs: 1, maxMs: 4 };

function start(step: ReconcilerOptions['step'], options: Partial<ReconcilerOptions> = {}) {
  return startReconciler({ name: 'test', step, keys: () => [], logger: silentLogger, backoff: FAST, ...options });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1_000 && !condition(); tries += 1) await pause(2);
  expect(condition()).toBe(true);
}

describe('Reconciler', () => {
  it('runs a step when woken, and counts wake-ups of a waiting key once', async () => {
    let steps = 0;
    const release: (() => void)[] = [];
    const reconciler = start(async () => {
      steps += 1;
      await new Promise<void>((resolve) => release.push(resolve));
      return DONE;
    });
    reconciler.wake('a');
    await until(() => steps === 1);
    for (let i = 0; i < 5; i += 1) reconciler.wake('a');
    release.shift()?.();
    await until(() => steps === 2);
    release.shift()?.();
    await pause(20);
    expect(steps).toBe(2);
    await reconciler.stop();
  });

  it('runs a step again after the delay it asks for', async () => {
    const at: number[] = [];
    const reconciler = start(async () => {
      at.push(performance.now());
      return { againAfterMs: at.length < 3 ? 20 : null };
    });
    reconciler.wake('a');
    await until(() => at.length === 3);
    expect(at[1]! - at[0]!).toBeGreaterThanOrEqual(18);
    await reconciler.stop();
  });

  it('retries a Fault with backoff until it succeeds, and a wake-up does not shorten the delay', async () => {
    let steps = 0;
    const reconciler = start(
      async () => {
        steps += 1;
        if (steps < 4) throw new Fault('test.down', 'down', { retryAfterMs: 0 });
        return DONE;
      },
      { backoff: { firstMs: 15, maxMs: 30 } },
    );
    const began = performance.now();
    reconciler.wake('a');
    const nagging = setInterval(() => reconciler.wake('a'), 1);
    await until(() => steps >= 4);
    clearInterval(nagging);
    expect(performance.now() - began).toBeGreaterThanOrEqual(70);
    expect(reconciler.counts).toMatchObject({ faults: 3, rejections: 0, bugs: 0 });
    await reconciler.stop();
  });

  it('does not repeat a rejected step by itself, but looks again when woken', async () => {
    let steps = 0;
    const reconciler = start(async () => {
      steps += 1;
      throw new Rejection('test.no', 'no');
    });
    reconciler.wake('a');
    await pause(30);
    expect(steps).toBe(1);
    reconciler.wake('a');
    await until(() => steps === 2);
    expect(reconciler.counts.rejections).toBe(2);
    await reconciler.stop();
  });

  it('logs an unknown error as an error and goes on', async () => {
    const errors: string[] = [];
    let steps = 0;
    const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
    const reconciler = start(
      async () => {
        steps += 1;
        if (steps === 1) throw new TypeError('oops');
        return DONE;
      },
      { logger },
    );
    reconciler.wake('a');
    await until(() => steps === 2);
    expect(errors).toEqual(['step broke']);
    expect(reconciler.counts.bugs).toBe(1);
    await reconciler.stop();
  });

  it('looks at every key at each resync', async () => {
    const seen = new Set<string>();
    const reconciler = start(
      async (key) => {
        seen.add(key);
        return DONE;
      },
      { keys: () => ['a', 'b'], resyncMs: 5 },
    );
    await until(() => seen.size === 2);
    await reconciler.stop();
  });

  it('stops: aborts what runs, waits for it, and starts nothing more', async () => {
    let steps = 0;
    let ended = 0;
    const reconciler = start(
      async (_key, signal) => {
        steps += 1;
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
        await pause(10);
        ended += 1;
        return { againAfterMs: 0 };
      },
      { concurrency: 1 },
    );
    reconciler.wake('a');
    reconciler.wake('b');
    await until(() => steps === 1);
    await reconciler.stop();
    reconciler.wake('c');
    await pause(20);
    expect({ steps, ended }).toEqual({ steps: 1, ended: 1 });
  });

  it('property: never two steps of a key at once, never above the concurrency, and every wake-up is followed by a step', async () => {
    const wake = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), pauseMs: fc.integer({ min: 0, max: 2 }) });
    const outcome = fc.constantFrom('done', 'again', 'fault', 'rejection');
    await fc.assert(
      fc.asyncProperty(fc.array(wake, { minLength: 1, maxLength: 30 }), fc.array(outcome, { maxLength: 40 }), async (wakes, outcomes) => {
        const active = new Set<string>();
        const wanted = new Map<string, number>();
        const seen = new Map<string, number>();
        let overlaps = 0;
        let widest = 0;
        const script = [...outcomes];
        const reconciler = start(
          async (key) => {
            if (active.has(key)) overlaps += 1;
            active.add(key);
            widest = Math.max(widest, active.size);
            const version = wanted.get(key) ?? 0;
            await pause(0);
            active.delete(key);
            const next = script.shift() ?? 'done';
            if (next === 'fault') throw new Fault('test.down', 'down', { retryAfterMs: 0 });
            seen.set(key, version);
            if (next === 'rejection') throw new Rejection('test.no', 'no');
            return { againAfterMs: next === 'again' ? 0 : null };
          },
          { concurrency: 2 },
        );
        for (const { key, pauseMs } of wakes) {
          wanted.set(key, (wanted.get(key) ?? 0) + 1);
          reconciler.wake(key);
          if (pauseMs > 0) await pause(pauseMs);
        }
        await until(() => [...wanted].every(([key, version]) => seen.get(key) === version));
        await reconciler.stop();
        expect(overlaps).toBe(0);
        expect(widest).toBeLessThanOrEqual(2);
      }),
      { numRuns: 30 },
    );
  });
});

describe('backoffMs', () => {
  it('doubles up to its bound', () => {
    expect([1, 2, 3, 10, 1_000].map((failures) => backoffMs(failures, { firstMs: 100, maxMs: 1_000 }))).toEqual([100, 200, 400, 1_000, 1_000]);
  });
});
