import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { EventData, EventType, SessionEvent, SessionLane, StoredEvent } from '@bullpen/contracts';
import { connectEventLog, newEntityId } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { foldSession } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';
import { silentLogger } from '@bullpen/telemetry';
import { startTcpProxy, startTestNats, startTestPostgres } from '@bullpen/testing';

import { createSessionReader } from './adapters/nats/session-reader.js';
import { Database } from './adapters/postgres/database.js';
import { createEventIndex } from './adapters/postgres/event-index.js';
import { createSessionSnapshots } from './adapters/postgres/session-snapshots.js';
import type { EventIndex, SessionReader, SessionSnapshots } from './core/ports.js';
import { ReadModels } from './read-models.js';

const AUTHOR = { name: 'Uma', email: 'uma@example.org' };
const IN_TIME_MS = 30_000;

/** Goal: reading by index and snapshot gives what reading the log gives, whatever state Postgres is in. Method: both, compared. */
describe('reading a session', () => {
  let nats: Awaited<ReturnType<typeof startTestNats>>;
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let proxy: Awaited<ReturnType<typeof startTcpProxy>>;
  let log: EventLog;
  let agentLog: EventLog;
  /** Reaches Postgres always; the parts under test go through the proxy. */
  let direct: Database;
  let frames = 0;

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    proxy = await startTcpProxy({ port: Number(new URL(postgres.url).port) });
    const connect = (user: 'session' | 'orchestrator') => connectEventLog({ url: nats.url, user, password: nats.passwords[user], logger: silentLogger });
    [log, agentLog] = [await connect('session'), await connect('orchestrator')];
    direct = new Database(postgres.url, silentLogger);
  }, 60_000);

  afterAll(async () => {
    await direct.close();
    await Promise.all([log.close(), agentLog.close()]);
    await proxy.stop();
    await Promise.all([nats.stop(), postgres.stop()]);
  }, 30_000);

  interface Reading {
    readonly reader: SessionReader;
    readonly index: EventIndex;
    readonly snapshots: SessionSnapshots;
    readonly models: ReadModels;
    /** Events that were read from the log so far. */
    readonly read: () => number;
    readonly stop: () => Promise<void>;
  }

  /** As a process that has just started: nothing is cached. */
  function startReading(epoch = log.epoch): Reading {
    const url = new URL(postgres.url);
    url.hostname = '127.0.0.1';
    url.port = String(proxy.port);
    const database = new Database(url.href, silentLogger);
    let read = 0;
    const counting = Object.assign(Object.create(log) as EventLog, {
      readSession: async function* (...parameters: Parameters<EventLog['readSession']>): AsyncIterable<SessionEvent> {
        for await (const event of log.readSession(...parameters)) {
          read += 1;
          yield event;
        }
      },
      sessionHead: (id: string) => log.sessionHead(id),
    });
    const snapshots = createSessionSnapshots(database, epoch);
    const reader = createSessionReader({ log: counting, snapshots, logger: silentLogger });
    const keeperReader = createSessionReader({ log, snapshots, logger: silentLogger });
    const models = new ReadModels({ log, database, reader: keeperReader, snapshots, url: postgres.url, logger: silentLogger });
    return { reader, snapshots, models, index: createEventIndex(database, epoch), read: () => read, stop: () => models.stop() };
  }

  async function append(id: string, name: SessionLane, events: readonly StoredEvent[]): Promise<number> {
    const lane = { entity: 'session', id, name } as const;
    const owner = name === 'core' ? log : agentLog;
    const { sequence: expected } = await owner.laneEnd(lane);
    frames += 1;
    const range = name === 'agent' ? { frames: { sandboxId: `${id}-1`, generation: 1, first: frames, last: frames } } : {};
    return (await owner.append({ lane, events, expected, key: `k${frames}`, ...range })).sequence;
  }
  const event = <T extends EventType>(type: T, data: EventData[T]): StoredEvent => {
    return { type, v: 1, at: new Date().toISOString(), actor: { kind: 'user', id: 'local', name: 'Uma' }, data: data as never };
  };

  async function create(): Promise<string> {
    const id = newEntityId();
    const repository = { id: newEntityId(), name: 'sample', source: '/srv/sample' };
    const about = { title: 'T', branch: 'main', agent: 'pi', model: 'm', modelProvider: 'scripted', requestHash: '' } as const;
    await append(id, 'core', [
      event('SessionCreated', { organisationId: 'org', repository, ...about }),
      event('PromptQueued', { promptId: 'p', text: 'do \u0000 it', author: AUTHOR, requestHash: '' }),
      event('TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 }),
    ]);
    return id;
  }

  /** Messages of 1 to 40 events, as an agent's frames come. */
  async function work(id: string, events: number): Promise<number> {
    let sequence = 0;
    for (let done = 0; done < events;) {
      const count = Math.min(events - done, 1 + ((done * 7) % 40));
      const chunk = (n: number) => event('AssistantTextAppended', { partId: `1.${Math.floor(n / 50)}`, offset: (n % 50) * 6, text: `word ${n % 10}` });
      sequence = await append(id, 'agent', Array.from({ length: count }, (_, n) => chunk(done + n)));
      done += count;
    }
    return sequence;
  }

  async function eventsOf(id: string): Promise<SessionEvent[]> {
    const events: SessionEvent[] = [];
    for await (const each of log.readSession(id, { after: '0' })) events.push(each);
    return events;
  }
  const wholeFold = async (id: string): Promise<SessionState> => foldSession(id, await eventsOf(id));
  const query = async <Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> => (await direct.dataSource()).query<Row[]>(sql, parameters);
  async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + IN_TIME_MS; !(await holds()); await delay(50)) if (Date.now() > end) throw new Error(`not in time: ${what}`);
  }
  const snapshotAt = async (id: string): Promise<number> =>
    Number((await query<{ sequence: string }>('SELECT sequence FROM session.session_snapshot WHERE session_id = $1', [id]))[0]?.sequence ?? 0);
  const isIndexed = async (sequence: number): Promise<boolean> =>
    (await query<{ sequence: string }>(`SELECT sequence FROM session.projection_positions WHERE projector = 'event-index.v1'`)).some((row) => Number(row.sequence) >= sequence);

  /** The page that the index leads to, and how many events were read for it. */
  async function pageBefore(index: EventIndex, sessionId: string, before: string, limit: number): Promise<{ ids: string[]; read: number }> {
    const after = await index.startBefore({ sessionId, before, count: limit });
    const ids: string[] = [];
    for await (const each of log.readSession(sessionId, { after })) {
      if (each.id === before) break;
      ids.push(each.id);
    }
    return { ids: ids.slice(-limit), read: ids.length };
  }
  async function expectPages(index: EventIndex, sessionId: string, most: number): Promise<void> {
    const all = (await eventsOf(sessionId)).map(({ id }) => id);
    for (const [place, limit] of [[all.length - 1, 100], [Math.floor(all.length / 2), 7], [all.length - 300, 300], [3, 50], [0, 5]] as const) {
      const page = await pageBefore(index, sessionId, all[place] ?? '', limit);
      expect(page.ids).toEqual(all.slice(Math.max(0, place - limit), place));
      expect(page.read).toBeLessThan(limit + most);
    }
  }

  it('begins at a snapshot and at the index, and finds what the whole log says', async () => {
    const id = await create();
    const sequence = await work(id, 1_700);
    const { models, stop } = startReading();
    models.start();
    await eventually('kept', async () => (await snapshotAt(id)) === sequence);
    await append(id, 'core', [event('SessionRenamed', { title: 'Later' })]);
    const last = await work(id, 120);
    await eventually('indexed', () => isIndexed(last));
    const cold = startReading();
    expect(await cold.reader.read(id)).toEqual(await wholeFold(id));
    expect(cold.read()).toBe(121);
    await expectPages(cold.index, id, 200);
    await cold.stop();
    await stop();
  }, 60_000);

  it('finds the same while the index is behind, empty, or made anew', async () => {
    const id = await create();
    const first = startReading();
    first.models.start();
    const indexed = await work(id, 900);
    await eventually('indexed', () => isIndexed(indexed));
    await first.stop();
    const last = await work(id, 400);
    const behind = startReading();
    await expectPages(behind.index, id, 400 + 200);
    expect(await behind.reader.read(id)).toEqual(await wholeFold(id));
    await query('DELETE FROM session.event_index');
    await query('DELETE FROM session.session_snapshot');
    await expectPages(behind.index, id, Infinity);
    await query(`UPDATE session.projection_positions SET sequence = 0 WHERE projector = 'event-index.v1'`);
    behind.models.start();
    await eventually('made anew', () => isIndexed(last));
    await expectPages(behind.index, id, 200);
    await eventually('kept anew', async () => (await snapshotAt(id)) === last);
    await behind.stop();
  }, 90_000);

  it('takes nothing of another log or of another fold, and replaces it', async () => {
    const id = await create();
    const first = startReading();
    first.models.start();
    const sequence = await work(id, 600);
    await eventually('kept', async () => (await snapshotAt(id)) === sequence);
    const elsewhere = startReading('another epoch');
    expect(await elsewhere.snapshots.load(id)).toBeNull();
    expect(await elsewhere.index.startBefore({ sessionId: id, before: String(sequence * 256), count: 5 })).toBe('0');
    expect(await elsewhere.snapshots.due()).toEqual([]);
    await query(`UPDATE session.session_snapshot SET model = 'session.v0', state = '{}' WHERE session_id = $1`, [id]);
    const cold = startReading();
    expect(await cold.reader.read(id)).toEqual(await wholeFold(id));
    const next = await work(id, 1);
    await eventually('replaced', async () => (await snapshotAt(id)) === next);
    expect((await cold.snapshots.load(id))?.head).toBe(String(next * 256));
    await elsewhere.snapshots.forgetOtherLogs();
    expect(await cold.snapshots.load(id)).toBeNull();
    await Promise.all([first, elsewhere, cold].map((each) => each.stop()));
  }, 60_000);

  it('never keeps an older fold over a newer one', async () => {
    const id = await create();
    const { models, snapshots, stop } = startReading();
    models.start();
    await work(id, 20);
    const older = await wholeFold(id);
    await work(id, 20);
    const newer = await wholeFold(id);
    await eventually('listed', () => snapshots.save(newer, 43));
    expect(await snapshots.save(older, 23)).toBe(false);
    expect(await snapshots.load(id)).toEqual(newer);
    await stop();
  }, 40_000);

  it.each(['cut', 'stall'] as const)('goes on from the log when Postgres is away (%s)', async (trouble) => {
    const id = await create();
    await work(id, 700);
    const cold = startReading();
    if (trouble === 'stall') await cold.snapshots.load(id);
    proxy[trouble]();
    try {
      const begun = Date.now();
      expect(await cold.reader.read(id)).toEqual(await wholeFold(id));
      expect(Date.now() - begun).toBeLessThan(10_000);
      if (trouble === 'cut') await expect(cold.index.startBefore({ sessionId: id, before: '256', count: 1 })).rejects.toMatchObject({ code: 'event-index.unavailable' });
    } finally {
      proxy.heal();
      await cold.stop();
    }
  }, 40_000);

  it('forgets a deleted session for good', async () => {
    const [id, neighbour] = [await create(), await create()];
    const { models, snapshots, index, stop } = startReading();
    models.start();
    await work(neighbour, 600);
    const sequence = await work(id, 600);
    await eventually('kept', async () => (await snapshotAt(id)) === sequence && (await snapshotAt(neighbour)) > 0);
    const state = await wholeFold(id);
    const deleted = await append(id, 'core', [event('SessionDeleted', {})]);
    await eventually('reached', async () => models.rows.erase([id], deleted).then(() => true, () => false));
    expect(await snapshots.load(id)).toBeNull();
    await eventually('not indexed', async () => (await query('SELECT 1 FROM session.event_index WHERE session_id = $1', [id])).length === 0);
    // As from a replica that folded it before.
    expect(await snapshots.save(state, 603)).toBe(false);
    expect(await snapshots.load(id)).toBeNull();
    expect(await snapshots.load(neighbour)).toEqual(await wholeFold(neighbour));
    await expectPages(index, neighbour, 200);
    await stop();
  }, 60_000);

  it('refuses what is no id', async () => {
    const { index, stop } = startReading();
    await expect(index.startBefore({ sessionId: '*', before: '256', count: 1 })).rejects.toMatchObject({ code: 'session.not-found' });
    await expect(index.startBefore({ sessionId: newEntityId(), before: 'x', count: 1 })).rejects.toMatchObject({ code: 'event.unknown' });
    await stop();
  });
});
