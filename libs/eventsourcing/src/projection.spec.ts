import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Rejection } from '@bullpen/errors';
import { silentLogger } from '@bullpen/telemetry';

import { MemoryEventLog } from '../test/memory-event-log.js';
import { runProjection } from './index.js';
import type { ProjectedEvent, Projection, ProjectionBatch, ProjectionPosition, ProjectionStore, ProjectionWriter, Projector } from './index.js';

interface Row {
  readonly id: string;
  readonly titles: readonly string[];
}

const projector: Projector<ProjectedEvent, Row> = {
  name: 'titles.v1',
  handles: ['Named', 'Removed', 'Broken'],
  rowId: (event) => event.lane.id,
  apply: (row, event) => {
    if (event.type === 'Broken') throw new Error(`cannot apply ${event.id}`);
    if (event.type === 'Removed') return null;
    return { id: event.lane.id, titles: [...(row?.titles ?? []), event.data['title'] as string] };
  },
};

class MemoryStore implements ProjectionStore<Row> {
  position: ProjectionPosition = { epoch: '', sequence: 0 };
  rows = new Map<string, Row>();
  faults: string[] = [];
  batches: number[] = [];
  outages = 0;
  heldElsewhere = false;
  writers = 0;

  async open(): Promise<ProjectionWriter<Row> | null> {
    if (this.outages > 0) {
      this.outages -= 1;
      throw new Error('database away');
    }
    if (this.heldElsewhere) return null;
    this.writers += 1;
    return {
      position: this.position,
      faults: this.faults.length,
      load: async (ids) => new Map([...this.rows].filter(([id]) => ids.includes(id))),
      commit: (batch) => this.commit(batch),
      reset: async (epoch) => {
        this.rows.clear();
        this.faults = [];
        return (this.position = { epoch, sequence: 0 });
      },
      close: async () => {
        this.writers -= 1;
      },
    };
  }

  async commit({ from, to, rows, faults }: ProjectionBatch<Row>): Promise<boolean> {
    if (this.outages > 0) {
      this.outages -= 1;
      throw new Error('connection ended');
    }
    if (from.epoch !== this.position.epoch || from.sequence !== this.position.sequence) return false;
    if ([...rows.values()].some((row) => row?.titles.includes('unstorable'))) throw new Rejection('projection.not-storable', 'No.');
    this.position = to;
    this.batches.push(to.sequence - from.sequence);
    for (const [id, row] of rows) {
      if (row) this.rows.set(id, row);
      else this.rows.delete(id);
    }
    this.faults.push(...faults.map(({ eventId, error }) => `${eventId} ${error}`));
    return true;
  }
}

describe('runProjection', () => {
  let log: MemoryEventLog;
  let store: MemoryStore;
  let projection: Projection | null;
  const run = (pace: { isUnhurried?: boolean } = {}): Projection =>
    (projection = runProjection({ log, projector, store, logger: silentLogger, ...pace }));
  const say = async (id: string, type: string, title = ''): Promise<void> => {
    const lane = { entity: 'session', id: `00${id.padStart(24, '0')}`, name: 'core' } as const;
    const { sequence } = await log.laneEnd(lane);
    const event = { type, v: 1, at: '', actor: { kind: 'user', id: 'u', name: 'U' }, data: { title } } as const;
    await log.append({ lane, events: [event], expected: sequence, key: String(log.messages.length) });
  };
  const until = async (holds: () => boolean): Promise<void> => {
    for (let tries = 0; tries < 400 && !holds(); tries += 1) await delay(5);
    expect(holds()).toBe(true);
  };
  const titles = (id: string): readonly string[] | undefined => store.rows.get(`00${id.padStart(24, '0')}`)?.titles;

  beforeEach(() => {
    log = new MemoryEventLog();
    store = new MemoryStore();
    projection = null;
  });
  afterEach(async () => {
    await projection?.stop();
    expect(store.writers).toBe(0);
    expect(projection?.status.state).toBe('stopped');
  });

  it('applies what is there and what comes, each event once and in order', async () => {
    await say('a', 'Named', '1');
    run();
    await until(() => store.position.sequence === 1);
    await say('b', 'Unhandled');
    await say('a', 'Named', '2');
    await until(() => store.position.sequence === 3);
    expect(titles('a')).toEqual(['1', '2']);
    await say('a', 'Removed');
    await until(() => projection?.status.sequence === 4);
    expect(store.rows.size).toBe(0);
  });

  it('goes on from its position after a restart', async () => {
    await say('a', 'Named', '1');
    const first = run();
    await until(() => store.position.sequence === 1);
    await first.stop();
    await say('a', 'Named', '2');
    run();
    await until(() => store.position.sequence === 2);
    expect(titles('a')).toEqual(['1', '2']);
  });

  it('takes at most 500 events at a time, however many wait', async () => {
    for (let n = 0; n < 1_203; n += 1) await say('a', 'Named', String(n));
    run();
    await until(() => store.position.sequence === 1_203);
    expect(Math.max(...store.batches)).toBeLessThanOrEqual(500);
    expect(titles('a')).toEqual(Array.from({ length: 1_203 }, (_, n) => String(n)));
  });

  it('commits a position that no row needs together with others, and with the next row at once', async () => {
    run();
    await until(() => projection?.status.state === 'active');
    const begun = performance.now();
    for (let n = 0; n < 50; n += 1) {
      await say('a', 'Unhandled');
      await delay(1);
    }
    await until(() => store.position.sequence === 50);
    expect(store.batches.length).toBeLessThanOrEqual(2 + (performance.now() - begun) / 100);
    const before = store.batches.length;
    await say('a', 'Unhandled');
    await say('a', 'Named', '1');
    await until(() => titles('a') !== undefined);
    expect(store.batches.slice(before)).toEqual([2]);
  });

  it('lets rows that nobody waits for wait for company', async () => {
    run({ isUnhurried: true });
    await until(() => projection?.status.state === 'active');
    const begun = performance.now();
    for (let n = 0; n < 50; n += 1) {
      await say('a', 'Named', String(n));
      await delay(1);
    }
    await until(() => store.position.sequence === 50);
    expect(store.batches.length).toBeLessThanOrEqual(1 + (performance.now() - begun) / 1_000);
    expect(titles('a')).toHaveLength(50);
  });

  it('waits out an outage of the store, at the start and in the middle, and misses nothing', async () => {
    store.outages = 1;
    await say('a', 'Named', '1');
    run();
    await until(() => store.position.sequence === 1);
    store.outages = 2;
    await say('a', 'Named', '2');
    await say('a', 'Named', '3');
    await until(() => store.position.sequence === 3);
    expect(titles('a')).toEqual(['1', '2', '3']);
    expect(projection?.status.healthy).toBe(true);
  });

  it('records an event that throws, goes on, and is unhealthy until rebuilt', async () => {
    await say('a', 'Named', '1');
    await say('a', 'Broken');
    await say('a', 'Named', '2');
    const first = run();
    await until(() => store.position.sequence === 3);
    expect(titles('a')).toEqual(['1', '2']);
    expect(store.faults).toEqual(['512 Error: cannot apply 512']);
    expect(first.status.healthy).toBe(false);
    await first.stop();
    const second = run();
    await until(() => second.status.state === 'active');
    expect(second.status.healthy).toBe(false);
  });

  it('passes over exactly what the store never takes', async () => {
    for (const title of ['1', '2', '3', 'unstorable', '4', '5']) await say('a', 'Named', title);
    const lane = { entity: 'session', id: `00${'b'.padStart(24, '0')}`, name: 'core' } as const;
    const named = (title: string) => ({ type: 'Named', v: 1, at: '', actor: { kind: 'user', id: 'u', name: 'U' }, data: { title } }) as const;
    await log.append({ lane, events: [named('6'), named('unstorable'), named('7')], expected: 0, key: 'three' });
    const running = run();
    await until(() => store.position.sequence === 7);
    expect(titles('a')).toEqual(['1', '2', '3', '4', '5']);
    expect(titles('b')).toEqual(['6', '7']);
    expect(store.faults.map((fault) => fault.split(' ')[0])).toEqual(['1024', '1793']);
    expect(running.status.healthy).toBe(false);
    expect(running.status.state).toBe('active');
  });

  it.each([
    ['another epoch', { epoch: 'epoch-0', sequence: 1 }],
    ['a position above the end of the log', { epoch: 'epoch-1', sequence: 99 }],
  ])('rebuilds on %s', async (_, position) => {
    store.position = position;
    store.rows.set('left over', { id: 'left over', titles: [] });
    store.faults.push('old');
    await say('a', 'Named', '1');
    const running = run();
    await until(() => store.position.epoch === 'epoch-1' && store.position.sequence === 1);
    expect([...store.rows.values()].map((row) => row.titles)).toEqual([['1']]);
    expect(running.status.healthy).toBe(true);
  });

  it('stops for good when somebody else moved its position', async () => {
    await say('a', 'Named', '1');
    const running = run();
    await until(() => store.position.sequence === 1);
    store.position = { epoch: 'epoch-1', sequence: 0 };
    await say('a', 'Named', '2');
    await until(() => running.status.state === 'stopped');
    expect(running.status.healthy).toBe(false);
    expect(titles('a')).toEqual(['1']);
  });

  it('stops also when told to while it is still opening', async () => {
    let opened: () => void = () => undefined;
    const opening = new Promise<void>((resolve) => (opened = resolve));
    const slow: ProjectionStore<Row> = { open: () => opening.then(() => store.open()) };
    projection = runProjection({ log, projector, store: slow, logger: silentLogger });
    const stopped = projection.stop();
    opened();
    await stopped;
    expect(projection.status.state).toBe('stopped');
  });

  it('stands by while another process writes, and goes on from there once it has ended', async () => {
    store.heldElsewhere = true;
    await say('a', 'Named', '1');
    const running = run();
    await until(() => running.status.state === 'standby');
    expect(store.rows.size).toBe(0);
    await say('a', 'Named', '2');
    store.position = { epoch: 'epoch-1', sequence: 1 };
    store.rows.set(`00${'a'.padStart(24, '0')}`, { id: 'a', titles: ['theirs'] });
    store.heldElsewhere = false;
    await until(() => running.status.state === 'active' && store.position.sequence === 2);
    expect(titles('a')).toEqual(['theirs', '2']);
  });
});
