import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { DataSource, EntitySchema } from 'typeorm';

import { silentLogger } from '@bullpen/telemetry';
import { startTcpProxy, startTestPostgres } from '@bullpen/testing';
import type { TestPostgres } from '@bullpen/testing';

import { MemoryEventLog } from '../test/memory-event-log.js';
import { createPostgresProjectionStore, projectionTables, readProjectionPosition, runProjection } from './index.js';
import type { ProjectedEvent, ProjectionPosition, ProjectionWriter, Projector } from './index.js';

interface Row {
  readonly id: string;
  readonly titles: readonly string[];
}

const rows = new EntitySchema<Row>({
  name: 'Titles',
  schema: 'spec',
  tableName: 'titles',
  columns: { id: { type: 'text', primary: true }, titles: { type: 'jsonb' } },
});
const NAME = 'titles.v1';
const at = (sequence: number): ProjectionPosition => ({ epoch: 'e1', sequence });

describe('createPostgresProjectionStore', () => {
  let postgres: TestPostgres;
  let dataSource: DataSource;
  const store = () => createPostgresProjectionStore<Row>({ dataSource: async () => dataSource, schema: 'spec', rows, key: 'id' });
  const open = async (): Promise<ProjectionWriter<Row>> => {
    // A connection that was ended lets go of its lock a moment later.
    for (let tries = 0; tries < 100; tries += 1) {
      const writer = await store().open(NAME);
      if (writer) return writer;
      await delay(20);
    }
    throw new Error('held elsewhere');
  };
  const stored = async (): Promise<Row[]> => dataSource.getRepository(rows).find({ order: { id: 'ASC' } });
  const position = async () => readProjectionPosition(dataSource, 'spec', NAME);
  const batch = (from: number, to: number, changes: Record<string, readonly string[] | null>) => ({
    from: at(from),
    to: at(to),
    rows: new Map(Object.entries(changes).map(([id, titles]) => [id, titles && { id, titles }])),
    faults: [],
  });

  beforeAll(async () => {
    postgres = await startTestPostgres();
    dataSource = await new DataSource({ type: 'postgres', url: postgres.url, entities: [rows], poolErrorHandler: () => undefined }).initialize();
  }, 30_000);
  afterAll(async () => {
    await dataSource.destroy();
    await postgres.stop();
  });
  beforeEach(async () => {
    await dataSource.query('DROP SCHEMA IF EXISTS spec CASCADE');
    await dataSource.query('CREATE SCHEMA spec');
    await dataSource.query('CREATE TABLE spec.titles (id text PRIMARY KEY, titles jsonb NOT NULL)');
    for (const statement of projectionTables('spec')) await dataSource.query(statement);
  });

  it('commits rows and position together, and gives them back', async () => {
    const writer = await open();
    expect(writer.position).toEqual({ epoch: '', sequence: 0 });
    await writer.reset('e1');
    expect(await writer.commit(batch(0, 7, { a: ['1'], b: ['2'] }))).toBe(true);
    expect(await writer.commit(batch(7, 9, { a: ['1', '3'], b: null }))).toBe(true);
    expect(await writer.load(['a', 'b'])).toEqual(new Map([['a', { id: 'a', titles: ['1', '3'] }]]));
    await writer.close();
    expect(await position()).toEqual(at(9));
    const next = await open();
    expect(next.position).toEqual(at(9));
    await next.close();
  });

  it('writes nothing when the position is not where the writer left it', async () => {
    const writer = await open();
    await writer.reset('e1');
    await writer.commit(batch(0, 5, { a: ['1'] }));
    expect(await writer.commit(batch(4, 6, { a: ['again'], b: ['2'] }))).toBe(false);
    expect(await stored()).toEqual([{ id: 'a', titles: ['1'] }]);
    expect(await position()).toEqual(at(5));
    await writer.close();
  });

  it('keeps neither rows nor position of a batch that fails half-way', async () => {
    const writer = await open();
    await writer.reset('e1');
    const broken = { ...batch(0, 5, { a: ['1'] }), rows: new Map([['b', { id: 'b', titles: null as never }]]) };
    await expect(writer.commit(broken)).rejects.toMatchObject({ code: 'projection.not-storable', details: { state: '23502' } });
    expect([await stored(), await position()]).toEqual([[], at(0)]);
    expect(await writer.commit(batch(0, 5, { a: ['1'] }))).toBe(true);
    await writer.close();
  });

  it('stores rows and faults that hold what Postgres does not take', async () => {
    const writer = await open();
    await writer.reset('e1');
    const fault = { eventId: '256', type: 'Odd', rowId: 'a', error: 'Error: \u0000' };
    expect(await writer.commit({ ...batch(0, 1, { a: ['x\u0000y'] }), faults: [fault] })).toBe(true);
    expect(await stored()).toEqual([{ id: 'a', titles: ['x\ufffdy'] }]);
    await writer.close();
  });

  it('tells a value that Postgres never takes from an outage', async () => {
    const writer = await open();
    await writer.reset('e1');
    await dataSource.query('ALTER TABLE spec.titles ADD COLUMN size smallint GENERATED ALWAYS AS (length(titles->>0)::smallint) STORED');
    await expect(writer.commit(batch(0, 1, { a: ['x'.repeat(40_000)] }))).rejects.toMatchObject({
      code: 'projection.not-storable',
      details: { state: '22003' },
    });
    expect(await writer.commit(batch(0, 1, { a: ['x'] }))).toBe(true);
    await writer.close();
  });

  it('lets one process write at a time, and the next when its connection is gone', async () => {
    const writer = await open();
    expect(await store().open(NAME)).toBeNull();
    expect(await store().open('another.v1')).not.toBeNull();
    const pids = await dataSource.query<{ pid: number }[]>(`SELECT pid FROM pg_locks WHERE locktype = 'advisory'`);
    expect(pids).toHaveLength(2);
    for (const { pid } of pids) await dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    const next = await open();
    await expect(writer.commit(batch(0, 1, {}))).rejects.toThrow();
    await writer.close();
    expect(await store().open(NAME)).toBeNull();
    await next.close();
    const last = await store().open(NAME);
    expect(last).not.toBeNull();
    await last?.close();
  });

  it('lets go of the right to write when the database stopped answering', async () => {
    const url = new URL(postgres.url);
    const proxy = await startTcpProxy({ port: Number(url.port) });
    url.port = String(proxy.port);
    const cutOff = new DataSource({ type: 'postgres', url: url.href, entities: [rows], poolErrorHandler: () => undefined });
    const dataSource = (): Promise<DataSource> => Promise.resolve(cutOff);
    await cutOff.initialize();
    const writer = await createPostgresProjectionStore<Row>({ dataSource, schema: 'spec', rows, key: 'id' }).open(NAME);
    proxy.mute();
    const unanswered = writer?.commit(batch(0, 1, {})).catch((error: unknown) => error);
    const closing = Date.now();
    await writer?.close();
    const next = await open();
    await next.close();
    expect(Date.now() - closing).toBeLessThan(5_000);
    expect(await unanswered).toBeInstanceOf(Error);
    await cutOff.destroy();
    await proxy.stop();
  });

  it('records faults with the batch and forgets them with a rebuild', async () => {
    const writer = await open();
    await writer.reset('e1');
    const fault = { eventId: '512', type: 'Broken', rowId: 'a', error: 'Error: no' };
    await writer.commit({ ...batch(0, 2, { a: ['1'] }), faults: [fault] });
    await writer.close();
    const next = await open();
    expect(next.faults).toBe(1);
    expect(await next.reset('e2')).toEqual({ epoch: 'e2', sequence: 0 });
    expect(await stored()).toEqual([]);
    await next.close();
    const last = await open();
    expect([last.faults, last.position]).toEqual([0, { epoch: 'e2', sequence: 0 }]);
    await last.close();
  });

  it('projects every event once while its connections are cut again and again', async () => {
    const log = new MemoryEventLog();
    const projector: Projector<ProjectedEvent, Row> = {
      name: NAME,
      handles: ['Named'],
      rowId: (event) => event.lane.id,
      apply: (row, event) => ({ id: event.lane.id, titles: [...(row?.titles ?? []), event.data['title'] as string] }),
    };
    const projection = runProjection({ log, projector, store: store(), logger: silentLogger });
    const lane = { entity: 'session', id: '00aaaaaaaaaaaaaaaaaaaaaaaaaa', name: 'core' } as const;
    const actor = { kind: 'user', id: 'u', name: 'U' } as const;
    const total = 400;
    for (let n = 0; n < total; n += 1) {
      const event = { type: 'Named', v: 1, at: '', actor, data: { title: String(n) } };
      await log.append({ lane, events: [event], expected: n, key: String(n) });
      if (n % 5 === 0) await delay(1);
      if (n % 80 === 40) {
        await dataSource.query(`SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`);
        await delay(30);
      }
    }
    for (let tries = 0; tries < 400 && projection.status.sequence < total; tries += 1) await delay(20);
    await projection.stop();
    expect(await stored()).toEqual([{ id: lane.id, titles: Array.from({ length: total }, (_, n) => String(n)) }]);
    expect(projection.status.healthy).toBe(true);
  });
});
