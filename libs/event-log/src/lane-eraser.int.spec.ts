import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';
import type { StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectEventLog, connectLaneEraser, isSessionDeleted, newEntityId, openFrameLane, startGeneration } from './index.js';
import type { EventLog, Lane, LaneEraser } from './index.js';

let nats: TestNats;
let log: EventLog;
let eraser: LaneEraser;
const never = new AbortController().signal;

beforeAll(async () => {
  nats = await startTestNats();
  log = await connectEventLog({ url: nats.url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
  eraser = await connectLaneEraser({ url: nats.url, password: nats.passwords.admin, logger: silentLogger });
});
afterAll(async () => {
  await eraser?.close();
  await log?.close();
  await nats?.stop();
});

const event = (type: string, data: StoredEvent['data'] = {}): StoredEvent => {
  return { type, v: 1, at: '2026-01-01T00:00:00.000Z', actor: { kind: 'sandbox', id: 's', name: 's' }, data };
};
const laneOf = (id: string, name: 'agent' | 'sandbox' = 'agent'): Lane => ({ entity: 'session', id, name });

async function fill(lane: Lane, texts: readonly string[], expected = 0): Promise<number> {
  let end = expected;
  for (const [index, text] of texts.entries()) {
    end = (await log.append({ lane, events: [event('Said', { text })], expected: end, key: `said:${end}:${index}` })).sequence;
  }
  return end;
}
const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));
/** Lets so many messages go, and is aborted when it is asked for the next. */
function abortedAfter(messages: number): AbortSignal {
  let left = messages;
  const throwIfAborted = (): void => {
    if (left === 0) throw new Error('broken off');
    left -= 1;
  };
  return { throwIfAborted } as unknown as AbortSignal;
}
async function close(lane: Lane, expected: number): Promise<number> {
  return (await log.append({ lane, events: [event('LaneClosed')], expected, key: 'closed' })).sequence;
}
async function typesIn(lane: Lane): Promise<string[]> {
  const types: string[] = [];
  for await (const { events } of log.readLane(lane)) types.push(...events.map(({ type }) => type));
  return types;
}

describe('a closed lane', () => {
  it('is erased up to its end, which stays; neighbours stay; again it is nothing', async () => {
    const [id, neighbour] = [newEntityId(), newEntityId()];
    const end = await close(laneOf(id), await fill(laneOf(id), ['a', 'b', 'c']));
    await fill(laneOf(neighbour), ['x', 'y']);
    expect(await eraser.eraseBefore(laneOf(id), end, never)).toBe(3);
    expect(await typesIn(laneOf(id))).toEqual(['LaneClosed']);
    expect(await typesIn(laneOf(neighbour))).toEqual(['Said', 'Said']);
    expect(await eraser.eraseBefore(laneOf(id), end, never)).toBe(0);
  });

  it('leaves nothing of its bytes on the disk', async () => {
    const id = newEntityId();
    const word = `canary${id}x`;
    const end = await close(laneOf(id), await fill(laneOf(id), [word, word.repeat(500), word]));
    const files = () => readdirSync(nats.storeDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const holding = () => files().filter((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(word));
    expect(holding().length).toBeGreaterThan(0);
    await eraser.eraseBefore(laneOf(id), end, never);
    expect(holding().map(({ name }) => name)).toEqual([]);
  });

  it('goes on where it was broken off', async () => {
    const id = newEntityId();
    const end = await close(laneOf(id), await fill(laneOf(id), numbers(40)));
    await expect(eraser.eraseBefore(laneOf(id), end, abortedAfter(3))).rejects.toThrow('broken off');
    expect(await eraser.eraseBefore(laneOf(id), end, never)).toBe(37);
    expect(await typesIn(laneOf(id))).toEqual(['LaneClosed']);
  });

  it('ends the reading of somebody who was in the middle of it, and what was its end is gone', async () => {
    const id = newEntityId();
    const filled = await fill(laneOf(id), numbers(300));
    const reading = log.readSession(id, { after: '0' })[Symbol.asyncIterator]();
    expect(await reading.next()).toMatchObject({ done: false });
    await eraser.eraseBefore(laneOf(id), await close(laneOf(id), filled), never);
    let read = 1;
    while ((await reading.next()).done !== true) read += 1;
    expect(read).toBeLessThan(300);
  }, 20_000);

  it('takes no generation and no frame any more', async () => {
    const sessionId = newEntityId();
    const generation = { sessionId, sandboxId: sandboxIdOf(sessionId, 1), generation: 1 };
    const started = event('GenerationStarted', { generation: 1, sandboxId: generation.sandboxId });
    await startGeneration(log, { ...generation, event: started });
    const lane = await openFrameLane(log, generation);
    await lane.submit([{ n: 1, event: event('Said') }]);
    await close(laneOf(sessionId), (await log.laneEnd(laneOf(sessionId))).sequence);
    await expect(lane.submit([{ n: 2, event: event('Said') }])).rejects.toMatchObject({ code: 'lane.closed' });
    await expect(openFrameLane(log, generation)).rejects.toMatchObject({ code: 'lane.closed' });
    const next = { sessionId, sandboxId: sandboxIdOf(sessionId, 2), generation: 2 };
    await expect(startGeneration(log, { ...next, event: started })).rejects.toMatchObject({ code: 'lane.closed' });
  });

  it('may be erased by nobody but the admin', async () => {
    const wrong = connectLaneEraser({ url: nats.url, password: nats.passwords.orchestrator, logger: silentLogger });
    await expect(wrong).rejects.toMatchObject({ code: 'log.not-authorized' });
  });

  it('is not yet a deleted session without its core lane', async () => {
    const id = newEntityId();
    await close(laneOf(id, 'sandbox'), 0);
    expect(await isSessionDeleted(log, id)).toBe(false);
  });
});
