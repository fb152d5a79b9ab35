import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';

import type { SessionEvent } from '@bullpen/contracts';
import { connectEventLog, newEntityId } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { SESSION_MODEL, evolveSession, foldSession } from '@bullpen/session-model';
import { followSession } from '@bullpen/sync-protocol';
import type { Followed } from '@bullpen/sync-protocol';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';
import { silentLogger as logger } from '@bullpen/telemetry';

import { TOKEN, event, startTestGateway } from '../test/gateway.harness.js';
import type { TestGateway } from '../test/gateway.harness.js';
import { connectTo, disconnectAll, expectClosed, generator, ids, until, watchWith } from '../test/sync-watcher.js';
import type { Watcher } from '../test/sync-watcher.js';

/** Against a real log, with the gateway's own rights, and with the two services that write. */
let nats: TestNats;
let read: EventLog;
let gateway: TestGateway;
const writers = new Map<'core' | 'agent', EventLog>();

beforeAll(async () => {
  nats = await startTestNats();
  const { url, passwords } = nats;
  writers.set('core', await connectEventLog({ url, user: 'session', password: passwords.session, logger }));
  writers.set('agent', await connectEventLog({ url, user: 'orchestrator', password: passwords.orchestrator, logger }));
  read = await connectEventLog({ url, user: 'gateway', password: passwords.gateway, logger });
  gateway = await startTestGateway(read);
}, 60_000);

afterAll(async () => {
  disconnectAll();
  await gateway.stop();
  for (const log of [read, ...writers.values()]) await log.close();
  await nats.stop();
}, 60_000);

/** Appends `sizes.length` messages to a lane, one after the other. */
async function append(sessionId: string, name: 'core' | 'agent', sizes: readonly number[]): Promise<void> {
  const log = writers.get(name);
  if (log === undefined) throw new Error(`nobody writes ${name}`);
  const lane = { entity: 'session', id: sessionId, name } as const;
  let { sequence: expected } = await log.laneEnd(lane);
  for (const [n, size] of sizes.entries()) {
    const events = Array.from({ length: size }, (_, i) =>
      event('AssistantTextAppended', { partId: `${n}.${i}`, offset: 0, text: 'x' }),
    );
    ({ sequence: expected } = await log.append({ lane, events, expected, key: `${expected}-${n}` }));
  }
}

async function logged(sessionId: string): Promise<SessionEvent[]> {
  const events: SessionEvent[] = [];
  for await (const each of read.readSession(sessionId, { after: '0' })) events.push(each);
  return events;
}

async function expectAll(watcher: Watcher, sessionId: string, after: string): Promise<void> {
  const all = await logged(sessionId);
  const rest = all.slice(all.findIndex((each) => each.id === after) + 1);
  await until(() => watcher.events.at(-1)?.id === rest.at(-1)?.id, 20_000);
  expect(ids(watcher.events)).toEqual(ids(rest));
  expectClosed(watcher.events, after === '0' ? null : after);
}

const lastOf = async (sessionId: string): Promise<string | undefined> => (await logged(sessionId)).at(-1)?.id;
const watch = (): Watcher => watchWith(connectTo(gateway.url));

describe('the gateway on a real log', () => {
  it('serves one sequence to subscribers of before and after, and to REST', async () => {
    const sessionId = newEntityId();
    await append(sessionId, 'core', [3]);
    const early = watch();
    expect(await early.subscribe({ sessionId })).toMatchObject({ ok: true, epoch: read.epoch });
    await append(sessionId, 'agent', [1, 256, 5]);
    await append(sessionId, 'core', [2]);
    const late = watch();
    await late.subscribe({ sessionId, after: '0' });
    await expectAll(early, sessionId, '0');
    await expectAll(late, sessionId, '0');
    const page = await fetch(`${gateway.url}/api/v1/sessions/${sessionId}/events`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(await page.json()).toEqual({ epoch: read.epoch, events: early.events, head: early.events.at(-1)?.id, more: false });
  });

  it('goes on after any event of a message', async () => {
    const sessionId = newEntityId();
    await append(sessionId, 'core', [2]);
    await append(sessionId, 'agent', [4]);
    for (const { id } of (await logged(sessionId)).slice(0, -1)) {
      const watcher = watch();
      await watcher.subscribe({ sessionId, after: id, models: [SESSION_MODEL] });
      await expectAll(watcher, sessionId, id);
    }
    const watcher = watch();
    expect(await watcher.subscribe({ sessionId, after: '1' })).toMatchObject({ ok: false, code: 'event.unknown' });
  });

  it.each([1, 2, 3, 4, 5, 6])('gives each event once and in order while two services write (seed %i)', async (seed) => {
    const random = generator(seed);
    const sessionId = newEntityId();
    await append(sessionId, 'core', [1]);
    const sizes = (): number[] => Array.from({ length: 25 }, () => 1 + random(8));
    const writing = Promise.all([append(sessionId, 'core', sizes()), append(sessionId, 'agent', sizes())]);
    const watchers: Watcher[] = [];
    for (let n = 0; n < 6; n++) {
      await sleep(random(10));
      const watcher = watch();
      watchers.push(watcher);
      expect(await watcher.subscribe({ sessionId, models: n % 2 === 0 ? [SESSION_MODEL] : [] })).toMatchObject({ ok: true });
    }
    await writing;
    const all = await logged(sessionId);
    for (const [n, watcher] of watchers.entries()) {
      await until(() => watcher.events.at(-1)?.id === all.at(-1)?.id || watcher.snapshots[0]?.upTo === all.at(-1)?.id);
      const [snapshot] = watcher.snapshots;
      expect(watcher.snapshots).toHaveLength(n % 2 === 0 ? 1 : 0);
      expectClosed(watcher.events, snapshot?.upTo ?? null);
      const folded = watcher.events.reduce(evolveSession, snapshot?.state ?? foldSession(sessionId, []));
      expect(folded).toEqual(foldSession(sessionId, all));
    }
  });

  it('carries on when the log was killed and came back', async () => {
    const sessionId = newEntityId();
    await append(sessionId, 'core', [2]);
    const watcher = watch();
    await watcher.subscribe({ sessionId });
    await nats.kill9();
    await nats.restart();
    await append(sessionId, 'agent', [3]);
    await append(sessionId, 'core', [1]);
    await expectAll(watcher, sessionId, '0');
  });

  it('is followed through a snapshot and a killed log by the protocol\'s own follower', async () => {
    const sessionId = newEntityId();
    await append(sessionId, 'core', [1]);
    await append(sessionId, 'agent', Array.from({ length: 9 }, () => 250));
    const socket = io(gateway.url, { transports: ['websocket'], auth: { token: TOKEN }, autoConnect: false, reconnection: false });
    let state = foldSession(sessionId, []);
    const kinds: string[] = [];
    const onItem = (item: Followed): void => {
      kinds.push(item.type);
      if (item.type === 'snapshot') state = item.state;
      if (item.type === 'event') state = evolveSession(state, item.event);
    };
    const following = followSession({ socket, sessionId, models: [SESSION_MODEL], onItem });
    await until(() => kinds.includes('caughtUp'));
    socket.io.engine.close();
    await nats.kill9();
    await nats.restart();
    await append(sessionId, 'core', [3]);
    const last = await lastOf(sessionId);
    await until(() => state.head === last, 20_000);
    following.close();
    expect(kinds.filter((kind) => kind === 'snapshot')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'event')).toHaveLength(3);
    expect(kinds).not.toContain('dropped');
    expect(state).toEqual(foldSession(sessionId, await logged(sessionId)));
  }, 60_000);
});
