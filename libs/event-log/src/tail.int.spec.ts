import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectEventLog, newEntityId } from './index.js';
import type { Lane, NatsUser } from './index.js';

const KILLS = 4;
const event: StoredEvent = {
  type: 'Written',
  v: 1,
  at: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'service', id: 't', name: 't' },
  data: {},
};

let nats: TestNats;

beforeAll(async () => {
  nats = await startTestNats();
});

afterAll(() => nats?.stop());

const open = (user: NatsUser) => connectEventLog({ url: nats.url, user, password: nats.passwords[user], logger: silentLogger });

describe('A tail whose server is killed again and again', () => {
  it('has every event once, and never stalls afterwards', async () => {
    const [writer, reader] = [await open('session'), await open('gateway')];
    const lane: Lane = { entity: 'session', id: newEntityId(), name: 'core' };
    const written: number[] = [];
    const seen: number[] = [];
    const tail = await reader.tail({ fromSequence: 1 }, ({ sequence }) => void seen.push(sequence));
    const append = async (): Promise<number> => {
      const { sequence } = await writer.append({
        lane,
        events: [event],
        expected: written.at(-1) ?? 0,
        key: `${written.length}`,
      });
      written.push(sequence);
      return sequence;
    };
    for (let kill = 0; kill < KILLS; kill += 1) {
      for (let n = 0; n < 20; n += 1) await append();
      await nats.kill9();
      await nats.restart();
      await tail.reached(await append(), 5_000);
    }
    for (let n = 0; n < 300; n += 1) await tail.reached(await append(), 1_000);
    expect(seen).toEqual(written);
    await Promise.all([writer.close(), reader.close()]);
  });
});
