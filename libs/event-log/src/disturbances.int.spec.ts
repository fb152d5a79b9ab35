import { setTimeout as delay } from 'node:timers/promises';

import { describe, it } from '@jest/globals';
import fc from 'fast-check';

import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { CONNECTIONS, exercise } from '../test/exercise.js';
import { connectEventLog } from './index.js';
import type { NatsUser } from './index.js';

const PACE_MS = 12;
const RUNS = 4;
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
    await exerciseOn(nats, disturbances, sizes);
  } finally {
    await nats.stop();
  }
}

function exerciseOn(nats: TestNats, disturbances: readonly Disturbance[], sizes: fc.Stream<number>): Promise<void> {
  const open = (user: NatsUser, url: string) => connectEventLog({ url, user, password: nats.passwords[user], logger: silentLogger });
  const links: Awaited<ReturnType<TestNats['cutProxy']>>[] = [];
  return exercise({
    connect: async (index, user) => {
      const link = await nats.cutProxy();
      links[index] = link;
      return open(user, link.url);
    },
    connectCalmly: () => open('gateway', nats.url),
    disturb: async () => void (await Promise.all(disturbances.map((one) => disturb(nats, links, one)))),
    paceMs: PACE_MS,
    sizes,
  });
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
