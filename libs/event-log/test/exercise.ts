import { setTimeout as delay } from 'node:timers/promises';

import { expect } from '@jest/globals';
import type fc from 'fast-check';

import type { SessionEvent, SessionLane, StoredEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';

import { LaneConflict, newEntityId } from '../src/index.js';
import type { EventLog, Lane, LogMessage, NatsUser } from '../src/index.js';

const SESSIONS = 2;
const APPENDS_PER_WRITER = 40;
/** Two lanes have two writers each, as when two replicas of an owner overlap for a moment; the third has one, which must never conflict. */
const WRITERS: readonly { user: NatsUser; lane: SessionLane; alone: boolean }[] = [
  { user: 'session', lane: 'core', alone: false },
  { user: 'session', lane: 'core', alone: false },
  { user: 'orchestrator', lane: 'agent', alone: false },
  { user: 'orchestrator', lane: 'agent', alone: false },
  { user: 'orchestrator', lane: 'sandbox', alone: true },
];
const READERS = 2;
/** Writers first, then readers. */
export const CONNECTIONS = WRITERS.length + READERS;

export interface Exercise {
  /** The connection number `index`, which may be disturbed. */
  readonly connect: (index: number, user: NatsUser) => Promise<EventLog>;
  /** One that is not disturbed, opened when all is over. */
  readonly connectCalmly: () => Promise<EventLog>;
  /** Ends when everything works again. */
  readonly disturb: () => Promise<void>;
  /** Between two appends of a writer: spreads them over the time in which the disturbances come. */
  readonly paceMs: number;
  /** Events of an append. */
  readonly sizes: fc.Stream<number>;
}

/** Many writers append while they are disturbed; then every acknowledged event is there once and in order, for every reader. */
export async function exercise({ connect, connectCalmly, disturb, paceMs, sizes }: Exercise): Promise<void> {
  const sessions = Array.from({ length: SESSIONS }, () => newEntityId());
  const logs = await Promise.all(Array.from({ length: CONNECTIONS }, (_, index) => connect(index, WRITERS[index]?.user ?? 'gateway')));
  const readers = await Promise.all(logs.slice(WRITERS.length).map(follow));

  const disturbing = disturb();
  const writing = WRITERS.flatMap(({ lane, alone }, index) =>
    sessions.map((id, which) => {
      const log = logs[index] as EventLog;
      return write({ log, lane: { entity: 'session', id, name: lane }, name: `w${index}s${which}`, alone, paceMs }, sizes);
    }),
  );
  const acknowledged = (await Promise.all(writing)).flat();
  await disturbing;

  const calm = await connectCalmly();
  await requireTruth(calm, readers);
  const events = (await Promise.all(sessions.map((id) => checkSession(calm, id)))).flat();
  const tokens = events.map(({ data }) => String(data['token']));
  expect(new Set(tokens).size).toBe(tokens.length);
  expect([...tokens].sort()).toEqual(acknowledged.map(({ token }) => token).sort());
  const idOf = new Map(events.map(({ id, data }) => [data['token'], id]));
  for (const { token, lastId } of acknowledged) if (lastId !== null) expect(idOf.get(token)).toBe(lastId);
  for (const writer of new Set(tokens.map(writerOf))) expectInOrder(tokens.filter((token) => writerOf(token) === writer));
  await Promise.all([calm, ...logs].map((log) => log.close()));
}

/** Readers that were disturbed saw what one sees that was not. */
async function requireTruth(calm: EventLog, readers: readonly Awaited<ReturnType<typeof follow>>[]): Promise<void> {
  const truth: LogMessage[] = [];
  const end = await calm.lastSequence();
  const tail = await calm.tail({ fromSequence: 1 }, (message) => void truth.push(message));
  await tail.reached(end, 10_000);
  for (const reader of readers) {
    await reader.tail.reached(end, 20_000);
    expect(reader.seen).toEqual(truth);
  }
}

async function follow(log: EventLog) {
  const seen: LogMessage[] = [];
  return { seen, tail: await log.tail({ fromSequence: 1 }, (message) => void seen.push(message)) };
}

interface Acknowledged {
  readonly token: string;
  /** Of the append's last event; null when it was found in the lane and not acknowledged. */
  readonly lastId: string | null;
}

interface Writer {
  readonly log: EventLog;
  readonly lane: Lane;
  readonly name: string;
  readonly alone: boolean;
  readonly paceMs: number;
}

/** As a command handler does it: know the end, append, on a conflict read what came and decide again. */
async function write(writer: Writer, sizes: fc.Stream<number>): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  const progress: Progress = { expected: 0, failed: false };
  for (let n = 0; n < APPENDS_PER_WRITER; n += 1) {
    await delay(writer.paceMs);
    const size = sizes.next().value ?? 1;
    const tokens = Array.from({ length: size }, (_, index) => `${writer.name}.${n}.${index}`);
    const lastId = await writeOne(writer, progress, `${n}`, tokens);
    acknowledged.push(...tokens.map((token, index) => ({ token, lastId: index === size - 1 ? lastId : null })));
  }
  return acknowledged;
}

interface Progress {
  expected: number;
  /** An append was given up: it may arrive later behind its writer's back. */
  failed: boolean;
}

/** The last event's id; null when the append was found in the lane and not acknowledged. */
async function writeOne(
  { log, lane, name, alone }: Writer,
  progress: Progress,
  key: string,
  tokens: readonly string[],
): Promise<string | null> {
  for (;;) {
    try {
      const { sequence, lastId } = await log.append({
        lane,
        events: tokens.map(event),
        expected: progress.expected,
        key: `${name}.${key}`,
      });
      progress.expected = sequence;
      return lastId;
    } catch (error) {
      if (!(error instanceof LaneConflict) && !(error instanceof Fault)) throw error;
      progress.failed ||= error instanceof Fault;
      if (alone && !progress.failed) throw error;
      const found = await catchUp(log, lane, progress.expected, tokens[0] ?? '');
      progress.expected = found.end;
      if (found.mine) return null;
    }
  }
}

async function catchUp(log: EventLog, lane: Lane, since: number, token: string): Promise<{ end: number; mine: boolean }> {
  let end = since;
  let mine = false;
  for (;;) {
    try {
      for await (const message of log.readLane(lane, end + 1)) {
        end = message.sequence;
        mine ||= message.events.some(({ data }) => data['token'] === token);
      }
      return { end, mine };
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
    }
  }
}

/** Ids strictly increasing and `prev` closed, over the whole read and over reads that resume anywhere. */
async function checkSession(log: EventLog, sessionId: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const one of log.readSession(sessionId, { after: '0' })) events.push(one);
  for (const [index, { id, prev }] of events.entries()) {
    expect(prev).toBe(events[index - 1]?.id ?? null);
    expect(Number(id)).toBeGreaterThan(Number(prev ?? 0));
  }
  const middle = events[Math.floor(events.length / 2)];
  const rest: SessionEvent[] = [];
  for await (const one of log.readSession(sessionId, { after: middle?.id ?? '0' })) rest.push(one);
  expect(rest).toEqual(events.slice(Math.floor(events.length / 2) + 1));
  expect((await log.sessionHead(sessionId)).id).toBe(events.at(-1)?.id);
  return events;
}

function writerOf(token: string): string {
  return token.slice(0, token.indexOf('.'));
}

function expectInOrder(tokens: readonly string[]): void {
  const places = tokens.map((token) => token.split('.').slice(1).map(Number)).map(([n = 0, index = 0]) => n * 10 + index);
  expect(places).toEqual([...places].sort((a, b) => a - b));
}

function event(token: string): StoredEvent {
  return {
    type: 'Written',
    v: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: { kind: 'service', id: 't', name: 't' },
    data: { token },
  };
}
