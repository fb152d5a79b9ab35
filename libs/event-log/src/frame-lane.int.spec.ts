import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';
import type { StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectEventLog, newEntityId, openFrameLane, startGeneration } from './index.js';
import type { EventLog, Frame, Generation, LogMessage } from './index.js';

let nats: TestNats;
let log: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  log = await open();
});

afterAll(async () => {
  await log?.close();
  await nats?.stop();
});

function open(url = nats.url): Promise<EventLog> {
  return connectEventLog({ url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
}

function event(type: string, data: StoredEvent['data']): StoredEvent {
  return { type, v: 1, at: '2026-01-01T00:00:00.000Z', actor: { kind: 'sandbox', id: 's', name: 's' }, data };
}

function frames(first: number, last: number, text = 't'): Frame[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    n: first + index,
    event: event('Frame', { n: first + index, text }),
  }));
}

function generationOf(sessionId: string, generation: number): Generation {
  return { sessionId, sandboxId: sandboxIdOf(sessionId, generation), generation };
}

function start(by: EventLog, generation: Generation): Promise<void> {
  const { sandboxId } = generation;
  return startGeneration(by, {
    ...generation,
    event: event('GenerationStarted', { generation: generation.generation, sandboxId }),
  });
}

async function newGeneration(): Promise<Generation> {
  const generation = generationOf(newEntityId(), 1);
  await start(log, generation);
  return generation;
}

async function messages({ sessionId }: Generation): Promise<LogMessage[]> {
  const all: LogMessage[] = [];
  for await (const message of log.readLane({ entity: 'session', id: sessionId, name: 'agent' })) all.push(message);
  return all;
}

async function numbers(generation: Generation): Promise<unknown[]> {
  return (await messages(generation)).flatMap(({ events }) =>
    events.filter(({ type }) => type === 'Frame').map(({ data }) => data['n']),
  );
}

describe('startGeneration', () => {
  it('is already so when repeated', async () => {
    const generation = await newGeneration();
    await start(log, generation);
    expect(await messages(generation)).toHaveLength(1);
  });

  it('refuses an older generation, and the same one for another sandbox', async () => {
    const first = await newGeneration();
    await start(log, generationOf(first.sessionId, 2));
    await expect(start(log, first)).rejects.toMatchObject({ code: 'generation.superseded' });
    await expect(start(log, { ...first, generation: 2 })).rejects.toMatchObject({ code: 'generation.superseded' });
  });

  it('carries the last frame range on, which is not the new generation’s', async () => {
    const first = await newGeneration();
    await (await openFrameLane(log, first)).submit(frames(1, 3));
    const second = generationOf(first.sessionId, 2);
    await start(log, second);
    expect((await messages(first)).at(-1)?.frames).toEqual({ sandboxId: first.sandboxId, generation: 1, first: 1, last: 3 });
    expect((await openFrameLane(log, second)).appendedThrough).toBe(0);
  });
});

describe('openFrameLane', () => {
  it('knows what is in the log, also behind the platform’s own events', async () => {
    const generation = await newGeneration();
    const lane = await openFrameLane(log, generation);
    expect(lane.appendedThrough).toBe(0);
    await lane.submit(frames(1, 5));
    await lane.appendOwn([event('BranchPushed', {})], 'pushed');
    expect((await openFrameLane(log, generation)).appendedThrough).toBe(5);
  });

  it('refuses a generation that is superseded or never started', async () => {
    const generation = await newGeneration();
    await expect(openFrameLane(log, generationOf(generation.sessionId, 2))).rejects.toMatchObject({ code: 'generation.unknown' });
    await start(log, generationOf(generation.sessionId, 2));
    await expect(openFrameLane(log, generation)).rejects.toMatchObject({ code: 'generation.superseded' });
  });
});

describe('submit', () => {
  it('appends frames once, however often they come', async () => {
    const generation = await newGeneration();
    const lane = await openFrameLane(log, generation);
    const results = await Promise.all([
      lane.submit(frames(1, 3)),
      lane.submit(frames(1, 3)),
      lane.submit(frames(2, 6)),
      lane.submit(frames(6, 7)),
    ]);
    for (const [index, through] of [3, 3, 6, 7].entries()) expect(results[index]).toBeGreaterThanOrEqual(through);
    expect(await lane.submit(frames(1, 4))).toBe(7);
    expect(await numbers(generation)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('puts what arrives meanwhile into one append, within the limits', async () => {
    const generation = await newGeneration();
    const lane = await openFrameLane(log, generation);
    await Promise.all(Array.from({ length: 600 }, (_, index) => lane.submit(frames(index + 1, index + 1))));
    expect(await numbers(generation)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
    const sizes = (await messages(generation)).map(({ events }) => events.length);
    expect(sizes.length).toBeLessThan(8);
    expect(Math.max(...sizes)).toBe(256);
    await lane.submit(frames(601, 606, 'x'.repeat(200_000)));
    expect((await messages(generation)).slice(-3).map(({ events }) => events.length)).toEqual([2, 2, 2]);
  });

  it('refuses a gap, and what no append can hold', async () => {
    const lane = await openFrameLane(log, await newGeneration());
    await expect(lane.submit(frames(2, 3))).rejects.toMatchObject({ code: 'frames.gap', details: { expected: 1, got: 2 } });
    await expect(lane.submit([...frames(1, 1), ...frames(3, 3)])).rejects.toMatchObject({ code: 'frames.gap' });
    await expect(lane.submit(frames(1, 1, 'x'.repeat(530_000)))).rejects.toMatchObject({ code: 'frame.too-large' });
    expect(await lane.submit(frames(1, 2))).toBe(2);
  });

  it('is fenced off by a newer generation, for frames and own events', async () => {
    const generation = await newGeneration();
    const lane = await openFrameLane(log, generation);
    await lane.submit(frames(1, 2));
    await start(log, generationOf(generation.sessionId, 2));
    await expect(lane.submit(frames(3, 4))).rejects.toMatchObject({ code: 'generation.superseded' });
    await expect(lane.submit(frames(3, 4))).rejects.toMatchObject({ code: 'generation.superseded' });
    await expect(lane.appendOwn([event('BranchPushed', {})], 'pushed')).rejects.toMatchObject({ code: 'generation.superseded' });
    expect(await numbers(generation)).toEqual([1, 2]);
  });

  it('goes on beside another holder of the same generation', async () => {
    const generation = await newGeneration();
    const [one, two] = [await openFrameLane(log, generation), await openFrameLane(log, generation)];
    await one.submit(frames(1, 4));
    expect(await two.submit(frames(1, 6))).toBe(6);
    await one.appendOwn([event('BranchPushed', {})], 'pushed');
    expect(await one.submit(frames(5, 8))).toBe(8);
    expect(await numbers(generation)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('keeps every frame once when the server is killed between storing and answering', async () => {
    const generation = await newGeneration();
    const proxy = await nats.cutProxy();
    const cutLog = await open(proxy.url);
    const lane = await openFrameLane(cutLog, generation);
    await lane.submit(frames(1, 3));
    proxy.mute();
    const submitting = lane.submit(frames(4, 6));
    const later = lane.submit(frames(7, 9));
    for (let tries = 0; (await numbers(generation)).length < 6 && tries < 200; tries += 1) await delay(10);
    await nats.kill9();
    proxy.cut();
    proxy.heal();
    await nats.restart();
    expect(await submitting).toBeGreaterThanOrEqual(6);
    expect(await later).toBe(9);
    expect(await numbers(generation)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await cutLog.close();
  });
});

describe('appendOwn', () => {
  it('adds nothing when repeated under its key', async () => {
    const generation = await newGeneration();
    const lane = await openFrameLane(log, generation);
    const first = await lane.appendOwn([event('BranchPushed', {})], 'pushed');
    const other = await openFrameLane(log, generation);
    expect(await other.appendOwn([event('BranchPushed', {})], 'pushed')).toEqual(first);
    expect(await messages(generation)).toHaveLength(2);
  });
});
