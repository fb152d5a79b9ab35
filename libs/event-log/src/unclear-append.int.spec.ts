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

describe('An append whose acknowledgement is lost', () => {
  it('is found in the log after the connection was cut, and not written again', async () => {
    const proxy = await nats.cutProxy();
    const log = await open(proxy.url);
    const lane = newLane();
    proxy.mute();
    const appending = log.append({ lane, events: [event], expected: 0, key: 'k' });
    const written = await untilWritten(lane);
    proxy.cut();
    proxy.heal();
    expect((await appending).sequence).toBe(written);
    expect((await direct.laneEnd(lane)).sequence).toBe(written);
    await log.close();
  });

  it('is found in the log after the server was killed between storing and answering', async () => {
    const proxy = await nats.cutProxy();
    const log = await open(proxy.url);
    const lane = newLane();
    proxy.mute();
    const appending = log.append({ lane, events: [event], expected: 0, key: 'k' });
    const written = await untilWritten(lane);
    await nats.kill9();
    proxy.cut();
    proxy.heal();
    await nats.restart();
    expect((await appending).sequence).toBe(written);
    await log.close();
  });

  it('is a conflict when another append came after it, so that the caller folds it in', async () => {
    const proxy = await nats.cutProxy();
    const log = await open(proxy.url);
    const lane = newLane();
    proxy.mute();
    const appending = log.append({ lane, events: [event], expected: 0, key: 'k' });
    const outcome = expect(appending).rejects.toMatchObject({ name: 'LaneConflict', expected: 0 });
    const written = await untilWritten(lane);
    await direct.append({ lane, events: [event], expected: written, key: 'other' });
    proxy.cut();
    proxy.heal();
    await outcome;
    await log.close();
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
