import { setTimeout as delay } from 'node:timers/promises';

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { SessionEvent, SessionLane, StoredEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectEventLog, LaneConflict, newEntityId } from './index.js';
import type { EventLog, Lane, LogMessage, NatsUser } from './index.js';

const SESSIONS = 2;
const APPENDS_PER_WRITER = 40;
/** Spreads the appends over the time in which the disturbances come. */
const PACE_MS = 12;
const RUNS = 4;
/** Two lanes have two writers each, as when two replicas of an owner overlap for a moment; the third has one, which must never conflict. */
const WRITERS: readonly { user: NatsUser; lane: SessionLane; alone: boolean }[] = [
  { user: 'session', lane: 'core', alone: false },
  { user: 'session', lane: 'core', alone: false },
  { user: 'orchestrator', lane: 'agent', alone: false },
  { user: 'orchestrator', lane: 'agent', alone: false },
  { user: 'orchestrator', lane: 'sandbox', alone: true },
];
const CONNECTIONS = WRITERS.length + 2;
const SEED = Number(process.env['BULLPEN_SEED'] ?? Date.now() % 2 ** 31);

type Disturbance =
  | { readonly kind: 'cut'; readonly connection: number; readonly atMs: number; readonly forMs: number }
  | { readonly kind: 'kill'; readonly atMs: number; readonly forMs: number };

const disturbance: fc.Arbitrary<Disturbance> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      connection: fc.nat(CONNECTIONS - 1),
      atMs: fc.nat(700),
      forMs: fc.nat(150),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), atMs: fc.nat(600), forMs: fc.nat(100) }) },
);

describe('The log under cut connections and killed servers', () => {
  it('holds every acknowledged event once and in order, for readers that were cut off too', async () => {
    // Printed so that a failure can be run again: BULLPEN_SEED=<seed>.
    process.stderr.write(`disturbances.int.spec.ts seed ${SEED}\n`);
    const disturbances = fc
      .array(disturbance, { minLength: 6, maxLength: 12 })
      // One kill in every run: it is the hardest case.
      .map((list): Disturbance[] => [
        ...list.filter(({ kind }) => kind === 'cut'),
        { kind: 'kill', atMs: 50 + ((list.length * 37) % 400), forMs: 50 },
      ]);
    const property = fc.asyncProperty(disturbances, fc.infiniteStream(fc.integer({ min: 1, max: 4 })), runOnce);
    await fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
  }, 120_000);
});

async function runOnce(disturbances: Disturbance[], sizes: fc.Stream<number>): Promise<void> {
  const nats = await startTestNats();
  try {
    await exercise(nats, disturbances, sizes);
  } finally {
    await nats.stop();
  }
}

async function exercise(nats: TestNats, disturbances: readonly Disturbance[], sizes: fc.Stream<number>): Promise<void> {
  const sessions = Array.from({ length: SESSIONS }, () => newEntityId());
  const links = await Promise.all(Array.from({ length: CONNECTIONS }, () => nats.cutProxy()));
  const open = (user: NatsUser, url = nats.url) =>
    connectEventLog({ url, user, password: nats.passwords[user], logger: silentLogger });
  const logs = await Promise.all(links.map((link, index) => open(WRITERS[index]?.user ?? 'gateway', link.url)));
  const readers = await Promise.all(logs.slice(WRITERS.length).map(follow));

  const disturbing = Promise.all(disturbances.map((one) => disturb(nats, links, one)));
  const writing = WRITERS.flatMap(({ lane, alone }, index) =>
    sessions.map((id, which) => {
      const log = logs[index] as EventLog;
      return write({ log, lane: { entity: 'session', id, name: lane }, name: `w${index}s${which}`, alone }, sizes);
    }),
  );
  const acknowledged = (await Promise.all(writing)).flat();
  await disturbing;

  const calm = await open('gateway');
  const truth: LogMessage[] = [];
  const end = await calm.lastSequence();
  const tail = await calm.tail({ fromSequence: 1 }, (message) => void truth.push(message));
  await tail.reached(end, 5_000);
  for (const reader of readers) {
    await reader.tail.reached(end, 10_000);
    expect(reader.seen).toEqual(truth);
  }
  const events = (await Promise.all(sessions.map((id) => checkSession(calm, id)))).flat();
  const tokens = events.map(({ data }) => String(data['token']));
  expect(new Set(tokens).size).toBe(tokens.length);
  expect([...tokens].sort()).toEqual(acknowledged.map(({ token }) => token).sort());
  const idOf = new Map(events.map(({ id, data }) => [data['token'], id]));
  for (const { token, lastId } of acknowledged) if (lastId !== null) expect(idOf.get(token)).toBe(lastId);
  for (const writer of new Set(tokens.map(writerOf))) expectInOrder(tokens.filter((token) => writerOf(token) === writer));
  await Promise.all([calm, ...logs].map((log) => log.close()));
}

async function follow(log: EventLog) {
  const seen: LogMessage[] = [];
  return { seen, tail: await log.tail({ fromSequence: 1 }, (message) => void seen.push(message)) };
}

async function disturb(nats: TestNats, links: readonly { cut(): void; heal(): void }[], one: Disturbance): Promise<void> {
  await delay(one.atMs);
  if (one.kind === 'kill') {
    await nats.kill9();
    await delay(one.forMs);
    return nats.restart();
  }
  links[one.connection]?.cut();
  await delay(one.forMs);
  links[one.connection]?.heal();
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
}

/** As a command handler does it: know the end, append, on a conflict read what came and decide again. */
async function write(writer: Writer, sizes: fc.Stream<number>): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  const progress: Progress = { expected: 0, failed: false };
  for (let n = 0; n < APPENDS_PER_WRITER; n += 1) {
    await delay(PACE_MS);
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
