import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { silentLogger } from '@bullpen/telemetry';
import { startTestNatsCluster } from '@bullpen/testing';
import type { TestNatsCluster } from '@bullpen/testing';

import { exercise } from '../test/exercise.js';
import { LogConnection } from './connection.js';
import { EVENT_STREAM, connectEventLog, connectLeases } from './index.js';
import type { EventLog, NatsUser } from './index.js';
import { LEASE_BUCKET } from './server-config.js';

const SEED = Number(process.env['BULLPEN_SEED'] ?? Date.now() % 2 ** 31);
const PACE_MS = 60;
const STEP_DOWNS = 5;
const STEP_DOWN_PAUSE_MS = 700;
const ELECTION_MS = 20_000;

/** Goal: appends are right with three copies too. Method: three real servers; leaders step down, and one server is killed, amid appends. */
describe('The log on a cluster of three servers', () => {
  let cluster: TestNatsCluster;
  let admin: LogConnection;

  beforeAll(async () => {
    cluster = await startTestNatsCluster();
    admin = await LogConnection.open({ url: cluster.url, user: 'admin', password: cluster.passwords.admin, logger: silentLogger });
  }, 120_000);
  afterAll(async () => {
    await admin?.close();
    await cluster?.stop();
  }, 30_000);

  /** Each connection begins at another server. */
  const connect = (index: number, user: NatsUser): Promise<EventLog> => {
    const urls = [0, 1, 2].map((step) => cluster.urls[(index + step) % 3]).join(',');
    return connectEventLog({ url: urls, user, password: cluster.passwords[user], logger: silentLogger });
  };
  const leader = async (): Promise<string> => (await admin.jsm.streams.info(EVENT_STREAM)).cluster?.leader ?? '';
  const stepDown = async (): Promise<void> => {
    await admin.retry('step down', () => admin.nats.request(`$JS.API.STREAM.LEADER.STEPDOWN.${EVENT_STREAM}`, '', { timeout: 2_000 }));
  };

  it('keeps three copies', async () => {
    const { config, cluster: copies } = await admin.jsm.streams.info(EVENT_STREAM);
    expect([config.num_replicas, copies?.replicas?.length]).toEqual([3, 2]);
  });

  it('holds every acknowledged event once and in order while leaders step down', async () => {
    process.stderr.write(`cluster.int.spec.ts seed ${SEED}\n`);
    const leaders = new Set<string>();
    const disturb = async (): Promise<void> => {
      for (let n = 0; n < STEP_DOWNS; n += 1) {
        await delay(STEP_DOWN_PAUSE_MS);
        leaders.add(await admin.retry('ask for the leader', leader));
        await stepDown();
      }
    };
    await exercise({ connect, connectCalmly: () => connect(0, 'gateway'), disturb, paceMs: PACE_MS, sizes: sizes() });
    expect(leaders.size).toBeGreaterThan(1);
  }, 120_000);

  it('holds every acknowledged event once and in order while the leader is killed and comes back', async () => {
    const disturb = async (): Promise<void> => {
      await delay(500);
      const index = Number(/\d$/.exec(await admin.retry('ask for the leader', leader))?.[0] ?? 0);
      await cluster.kill9(index);
      await delay(1_500);
      await cluster.restart(index);
    };
    await exercise({ connect, connectCalmly: () => connect(0, 'gateway'), disturb, paceMs: PACE_MS, sizes: sizes() });
  }, 120_000);

  it('gives a lease to one of many, whichever server they ask', async () => {
    // They have a leader of their own, which may have been on the server that was killed.
    await admin.retry('wait for the leases', () => admin.jsm.streams.info(`KV_${LEASE_BUCKET}`), Date.now() + ELECTION_MS);
    const open = (url: string) => connectLeases({ url, user: 'orchestrator', password: cluster.passwords.orchestrator, logger: silentLogger });
    const replicas = await Promise.all(cluster.urls.map(open));
    for (let shard = 0; shard < 8; shard += 1) {
      const tries = await Promise.all(replicas.map((leases, n) => leases.put({ key: `shard.${shard}`, holder: `r${n}`, revision: 0 })));
      expect(tries.filter((revision) => revision !== null)).toHaveLength(1);
    }
    await Promise.all(replicas.map((leases) => leases.close()));
  }, 60_000);
});

function sizes(): fc.Stream<number> {
  const [stream] = fc.sample(fc.infiniteStream(fc.integer({ min: 1, max: 4 })), { seed: SEED, numRuns: 1 });
  if (!stream) throw new Error('no sizes');
  return stream;
}
