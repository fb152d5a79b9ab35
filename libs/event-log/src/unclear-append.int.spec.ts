import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { connectEventLog, newEntityId } from './index.js';
import type { EventLog, Lane } from './index.js';

const event: StoredEvent = {
  type: 'Written',
  v: 1,
  at: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'service', id: 't', name: 't' },
  data: {},
};

let nats: TestNats;
let direct: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  direct = await open(nats.url);
});

afterAll(async () => {
  await direct?.close();
  await nats?.stop();
});

function open(url: string): Promise<EventLog> {
  return connectEventLog({ url, user: 'session', password: nats.passwords.session, logger: silentLogger });
}

function newLane(): Lane {
  return { entity: 'session', id: newEntityId(), name: 'core' };
}

async function untilWritten(lane: Lane): Promise<number> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { sequence } = await direct.laneEnd(lane);
    if (sequence > 0) return sequence;
    await delay(10);
  }
  throw new Error('the append never arrived');
}

/** An append that is stored while its answer is lost; `during` then happens before the connection comes back. */
async function appendUnanswered(lane: Lane, during: (written: number) => Promise<unknown>) {
  const proxy = await nats.cutProxy();
  const log = await open(proxy.url);
  proxy.mute();
  const outcome = log.append({ lane, events: [event], expected: 0, key: 'k' }).catch((error: unknown) => error);
  const written = await untilWritten(lane);
  await during(written);
  proxy.cut();
  proxy.heal();
  const settled = await outcome;
  await log.close();
  return { written, settled };
}

describe('An append whose acknowledgement is lost', () => {
  it('is found in the log after the connection was cut, and not written again', async () => {
    const lane = newLane();
    const { written, settled } = await appendUnanswered(lane, async () => undefined);
    expect(settled).toMatchObject({ sequence: written });
    expect((await direct.laneEnd(lane)).sequence).toBe(written);
  });

  it('is found in the log after the server was killed between storing and answering', async () => {
    const lane = newLane();
    const { written, settled } = await appendUnanswered(lane, async () => {
      await nats.kill9();
      await nats.restart();
    });
    expect(settled).toMatchObject({ sequence: written });
    expect((await direct.laneEnd(lane)).sequence).toBe(written);
  });

  it('is a conflict when another append came after it, so that the caller folds it in', async () => {
    const lane = newLane();
    const { settled } = await appendUnanswered(lane, (written) =>
      direct.append({ lane, events: [event], expected: written, key: 'other' }),
    );
    expect(settled).toMatchObject({ name: 'LaneConflict', expected: 0 });
  });

  it('is log.unavailable when the server stays away, within the bound', async () => {
    const proxy = await nats.cutProxy();
    const log = await open(proxy.url);
    proxy.cut();
    const started = Date.now();
    const appending = log.append({ lane: newLane(), events: [event], expected: 0, key: 'k' });
    await expect(appending).rejects.toMatchObject({ name: 'Fault', code: 'log.unavailable' });
    expect(Date.now() - started).toBeLessThan(15_000);
    await log.close();
  });
});
