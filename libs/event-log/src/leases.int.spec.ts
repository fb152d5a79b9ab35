import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectLeases, LEASE_TTL_MS } from './index.js';
import type { Leases } from './index.js';

describe('leases', () => {
  let nats: TestNats;
  let one: Leases;
  let other: Leases;

  beforeAll(async () => {
    nats = await startTestNats();
    const open = () => connectLeases({ url: nats.url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
    [one, other] = await Promise.all([open(), open()]);
  });
  afterAll(async () => {
    await one?.close();
    await other?.close();
    await nats?.stop();
  });

  it('are taken by one of many at once, renewed by their revision, and given back', async () => {
    const listed = async () => (await other.list()).filter(({ key }) => key === 'shard.3');
    expect(await listed()).toEqual([]);
    const tries = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 ? one : other).put({ key: 'shard.3', holder: `r${n}`, revision: 0 })));
    const [revision] = tries.filter((result) => result !== null);
    expect(tries.filter((result) => result !== null)).toHaveLength(1);
    const holder = `r${tries.findIndex((result) => result !== null)}`;
    expect(await listed()).toEqual([{ key: 'shard.3', holder, revision }]);
    const renewed = await one.put({ key: 'shard.3', holder, revision: revision ?? 0 });
    expect(renewed).toBeGreaterThan(revision ?? 0);
    expect(await other.put({ key: 'shard.3', holder: 'thief', revision: revision ?? 0 })).toBeNull();
    const back = await one.put({ key: 'shard.3', holder: '', revision: renewed ?? 0 });
    expect(await other.put({ key: 'shard.3', holder: 'next', revision: back ?? 0 })).not.toBeNull();
  });

  it('run out when nobody renews them, and not before, also over a killed server', async () => {
    await one.put({ key: 'shard.5', holder: 'r', revision: 0 });
    await nats.kill9();
    await nats.restart();
    await delay(1_000);
    expect((await other.list()).map(({ key }) => key)).toContain('shard.5');
    expect(await other.put({ key: 'shard.5', holder: 'thief', revision: 0 })).toBeNull();
    await delay(LEASE_TTL_MS + 1_000);
    expect((await other.list()).map(({ key }) => key)).not.toContain('shard.5');
    expect(await other.put({ key: 'shard.5', holder: 'heir', revision: 0 })).not.toBeNull();
  }, 40_000);

  it('are nobody’s but the orchestrator’s', async () => {
    const gateway = await connectLeases({ url: nats.url, user: 'gateway', password: nats.passwords.gateway, logger: silentLogger });
    await expect(gateway.put({ key: 'shard.1', holder: 'g', revision: 0 })).rejects.toThrow(/refuses/);
    await gateway.close();
  });
});
