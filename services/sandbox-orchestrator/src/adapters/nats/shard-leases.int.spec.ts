import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { Fault } from '@bullpen/errors';
import { LEASE_TTL_MS, connectLeases, newEntityId } from '@bullpen/event-log';
import type { Leases } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { SHARD_COUNT, shardOf } from '../../core/shards.js';
import { ShardLeases } from './shard-leases.js';

/** Long enough to find one of each shard. */
const SESSIONS = Array.from({ length: 400 }, () => newEntityId());

describe('ShardLeases', () => {
  let nats: TestNats;
  let connections: Leases[];
  let running: ShardLeases[];
  /** What each replica may act on, by what it was told. */
  let told: Map<string, Set<number>>;

  beforeEach(async () => {
    nats = await startTestNats();
    connections = [];
    running = [];
    told = new Map();
  });
  afterEach(async () => {
    for (const shards of running) await shards.stop();
    for (const connection of connections) await connection.close();
    await nats.stop();
  });

  const connect = async (): Promise<Leases> => {
    const leases = await connectLeases({ url: nats.url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
    connections.push(leases);
    return leases;
  };
  const start = async (me: string, leases?: Leases, onGained: () => Promise<void> = async () => undefined): Promise<ShardLeases> => {
    const mine = new Set<number>();
    told.set(me, mine);
    const shards = await ShardLeases.start({
      leases: leases ?? (await connect()),
      me,
      onGained: async (gained) => {
        await onGained();
        for (const shard of gained) mine.add(shard);
      },
      onOwned: () => undefined,
      onLost: (lost) => lost.forEach((shard) => mine.delete(shard)),
      logger: silentLogger,
    });
    running.push(shards);
    return shards;
  };
  const owners = (sessionId: string): number => running.filter((shards) => shards.owns(sessionId)).length;
  const until = async (what: string, holds: () => boolean, timeoutMs = 30_000): Promise<void> => {
    const end = Date.now() + timeoutMs;
    while (!holds()) {
      // At no moment do two own one session.
      expect(SESSIONS.filter((id) => owners(id) > 1)).toEqual([]);
      if (Date.now() > end) throw new Error(`not in time: ${what}; ${running.map(({ count }) => count).join(' ')}`);
      await delay(20);
    }
  };
  const everyOneServed = (): boolean => SESSIONS.every((id) => owners(id) === 1);

  it('owns everything at once when alone, shares with who comes, and takes back what is given back', async () => {
    const one = await start('ws://127.0.0.1:1/runner');
    expect(one.count).toBe(SHARD_COUNT);
    expect(everyOneServed()).toBe(true);
    const two = await start('ws://127.0.0.1:2/runner');
    await until('equal parts', () => one.count === 8 && two.count === 8 && everyOneServed());
    expect([...(told.get('ws://127.0.0.1:1/runner') ?? [])].toSorted()).toEqual(
      [...new Set(SESSIONS.filter((id) => one.owns(id)).map(shardOf))].toSorted(),
    );
    await two.stop();
    expect(two.count).toBe(0);
    // Nobody has to wait for a lease to run out.
    await until('all at the one that is left', () => one.count === SHARD_COUNT, LEASE_TTL_MS - 2_000);
  }, 60_000);

  it('stops acting before another begins, when it cannot renew', async () => {
    const real = await connect();
    let isCut = false;
    const cut = <T>(call: () => Promise<T>): Promise<T> => (isCut ? Promise.reject(new Fault('log.unavailable', 'cut off')) : call());
    const leases: Leases = { list: () => cut(() => real.list()), put: (lease) => cut(() => real.put(lease)), close: () => real.close() };
    const one = await start('ws://127.0.0.1:1/runner', leases);
    const two = await start('ws://127.0.0.1:2/runner');
    await until('equal parts', () => one.count === 8 && two.count === 8);
    isCut = true;
    await until('the other has all', () => one.count === 0 && two.count === SHARD_COUNT);
    expect(told.get('ws://127.0.0.1:1/runner')).toEqual(new Set());
    isCut = false;
    await until('equal parts again', () => one.count === 8 && two.count === 8 && everyOneServed());
  }, 90_000);

  it('takes over at once what a killed process at the same place held, and keeps it over a killed server', async () => {
    const killed = await connect();
    for (let shard = 0; shard < SHARD_COUNT; shard += 1) await killed.put({ key: `shard.${shard}`, holder: 'ws://127.0.0.1:1/runner', revision: 0 });
    const one = await start('ws://127.0.0.1:1/runner');
    expect(one.count).toBe(SHARD_COUNT);
    await nats.kill9();
    await nats.restart();
    await delay(LEASE_TTL_MS);
    await until('all still or again', () => one.count === SHARD_COUNT);
  }, 60_000);

  it('does not act on what it learnt before it lost a shard and held it again', async () => {
    let calls = 0;
    const gates: Record<number, Promise<void>> = {};
    const gateOf = (call: number): (() => void) => {
      let open: () => void = () => undefined;
      gates[call] = new Promise((resolve) => (open = resolve));
      return open;
    };
    const one = await start('ws://127.0.0.1:1/runner', undefined, async () => gates[++calls]);
    const two = await start('ws://127.0.0.1:2/runner');
    await until('equal parts', () => one.count === 8 && two.count === 8);
    const [openBefore, openAfter] = [gateOf(calls + 1), gateOf(calls + 2)];
    try {
      await two.stop();
      await until('it learns of the others', () => calls === 2);
      one.doubt();
      // Long enough to hold them all again.
      await delay(LEASE_TTL_MS / 2);
      openBefore();
      await delay(LEASE_TTL_MS / 4 + 500);
      expect([one.count, calls]).toEqual([0, 3]);
    } finally {
      openBefore();
      openAfter();
    }
    await until('all, learnt anew', () => one.count === SHARD_COUNT);
  }, 60_000);

  it('owns nothing before it knows what acting on it needs', async () => {
    let known: () => void = () => undefined;
    const learning = new Promise<void>((resolve) => (known = resolve));
    const starting = start('ws://127.0.0.1:1/runner', undefined, () => learning);
    await delay(500);
    expect(told.get('ws://127.0.0.1:1/runner')).toEqual(new Set());
    known();
    expect((await starting).count).toBe(SHARD_COUNT);
  });
});
