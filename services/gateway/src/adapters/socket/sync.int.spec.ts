import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Socket } from 'socket.io-client';

import type { StoredEvent } from '@bullpen/contracts';
import { SESSION_MODEL, evolveSession, foldSession } from '@bullpen/session-model';
import { MAX_SOCKET_BUFFER_BYTES } from '@bullpen/sync-protocol';
import type { SubscribeRequest } from '@bullpen/sync-protocol';

import { event, startTestGateway } from '../../../test/gateway.harness.js';
import type { TestGateway } from '../../../test/gateway.harness.js';
import { MemoryEventLog } from '../../../test/memory-event-log.js';
import { connectTo, disconnectAll, expectClosed, generator, ids, until, watchWith } from '../../../test/sync-watcher.js';
import type { ConnectOptions, Watcher } from '../../../test/sync-watcher.js';
import { MAX_SUBSCRIPTIONS_PER_SOCKET } from './sync.gateway.js';

const log = new MemoryEventLog();
let gateway: TestGateway;
let sessions = 0;

beforeAll(async () => {
  gateway = await startTestGateway(log);
});
afterAll(async () => {
  disconnectAll();
  await gateway.stop();
});

function newSession(): string {
  sessions += 1;
  return `00${String(sessions).padStart(26, '0')}`;
}

const text = (n: number, length = 1): StoredEvent =>
  event('AssistantTextAppended', { partId: '1.1', offset: n, text: 'x'.repeat(length) });

function append(sessionId: string, count: number, lane: 'core' | 'agent' | 'sandbox' = 'agent', length = 1): void {
  log.add(
    { entity: 'session', id: sessionId, name: lane },
    Array.from({ length: count }, (_, n) => text(n, length)),
  );
}

const connect = (options: ConnectOptions = {}): Socket => connectTo(gateway.url, options);
const watch = (): Watcher => watchWith(connect());
const idsOf = (sessionId: string): string[] => ids(log.events(sessionId));

describe('connecting', () => {
  it('needs the token', async () => {
    const socket = connect({ token: 'wrong' });
    const error = await new Promise<Error & { data?: { code: string } }>((resolve) => socket.on('connect_error', resolve));
    expect(error.data?.code).toBe('auth.invalid');
  });

  it('is refused to a page of another origin', async () => {
    const socket = connect({ origin: 'https://evil.example.org' });
    await new Promise((resolve) => socket.on('connect_error', resolve));
    const own = connect({ origin: gateway.url });
    await new Promise((resolve) => own.on('connect', resolve as () => void));
    expect([socket.connected, own.connected]).toEqual([false, true]);
  });

  it('is not offered by polling', async () => {
    expect((await fetch(`${gateway.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(400);
  });
});

describe('session.subscribe', () => {
  it('sends everything from the start, then what comes', async () => {
    const sessionId = newSession();
    append(sessionId, 3, 'core');
    const watcher = watch();
    const answer = await watcher.subscribe({ sessionId });
    expect(answer).toEqual({ ok: true, head: idsOf(sessionId)[2], epoch: log.epoch });
    append(sessionId, 2);
    append(sessionId, 1, 'sandbox');
    await until(() => watcher.events.length >= 6);
    expect(ids(watcher.events)).toEqual(idsOf(sessionId));
    expectClosed(watcher.events, null);
  });

  it('tells whoever watches that the session was deleted, and takes no new watcher', async () => {
    const sessionId = newSession();
    append(sessionId, 2, 'core');
    const watcher = watch();
    await watcher.subscribe({ sessionId });
    await until(() => watcher.events.length === 2);
    log.add({ entity: 'session', id: sessionId, name: 'core' }, [event('SessionDeleted', {})]);
    await until(() => watcher.errors.length > 0);
    expect(watcher.events.at(-1)?.type).toBe('SessionDeleted');
    expect(watcher.errors).toMatchObject([{ code: 'session.not-found', details: { sessionId } }]);
    append(sessionId, 1, 'sandbox');
    expect(await watcher.subscribe({ sessionId })).toMatchObject({ ok: false, code: 'session.not-found' });
    expect(watcher.events).toHaveLength(3);
  });

  it('goes on after an event, also in the middle of a message', async () => {
    const sessionId = newSession();
    append(sessionId, 3, 'core');
    append(sessionId, 5);
    const all = idsOf(sessionId);
    for (const [index, after] of all.entries()) {
      const watcher = watch();
      expect(await watcher.subscribe({ sessionId, after, models: [SESSION_MODEL] })).toMatchObject({ ok: true });
      append(sessionId, 1);
      const rest = idsOf(sessionId).slice(index + 1);
      await until(() => watcher.events.length >= rest.length);
      expect(ids(watcher.events)).toEqual(rest);
      expectClosed(watcher.events, after);
      expect(watcher.snapshots).toEqual([]);
    }
  });

  it('sends a snapshot to a client that has nothing and knows the fold', async () => {
    const sessionId = newSession();
    append(sessionId, 4, 'core');
    const watcher = watch();
    await watcher.subscribe({ sessionId, models: ['older', SESSION_MODEL] });
    append(sessionId, 2);
    await until(() => watcher.events.length >= 2);
    const [snapshot] = watcher.snapshots;
    expect(snapshot).toMatchObject({ sessionId, epoch: log.epoch, model: SESSION_MODEL, upTo: idsOf(sessionId)[3] });
    const folded = watcher.events.reduce(evolveSession, snapshot?.state ?? foldSession(sessionId, []));
    expect(folded).toEqual(foldSession(sessionId, log.events(sessionId)));
  });

  it('sends a snapshot instead of a gap that is too large, and events to whom knows no fold', async () => {
    const sessionId = newSession();
    for (let n = 0; n < 9; n++) append(sessionId, 250);
    const all = idsOf(sessionId);
    const gap = watch();
    await gap.subscribe({ sessionId, after: all[249] ?? '', models: [SESSION_MODEL] });
    await until(() => gap.events.length >= 2_000);
    expect([gap.snapshots.length, ids(gap.events)]).toEqual([0, all.slice(250)]);
    const far = watch();
    await far.subscribe({ sessionId, after: all[248] ?? '', models: [SESSION_MODEL] });
    await until(() => far.snapshots.length > 0);
    expect(far.snapshots[0]?.upTo).toBe(all.at(-1));
    const plain = watch();
    await plain.subscribe({ sessionId, after: all[248] ?? '' });
    await until(() => plain.events.length >= 2_001);
    expect([plain.snapshots.length, ids(plain.events)]).toEqual([0, all.slice(249)]);
  });

  it('refuses what it cannot follow, and says why', async () => {
    const sessionId = newSession();
    append(sessionId, 1);
    const { socket, subscribe } = watch();
    const codeOf = async (request: unknown) => {
      const answer = await subscribe(request as SubscribeRequest);
      return answer.ok ? 'ok' : answer.code;
    };
    expect(await codeOf({ sessionId: newSession() })).toBe('session.not-found');
    expect(await codeOf({ sessionId: '*' })).toBe('session.not-found');
    expect(await codeOf({ sessionId, after: '999999' })).toBe('event.unknown');
    expect(await codeOf({ sessionId, after: 12 })).toBe('request.invalid');
    expect(await codeOf({ sessionId: 'x'.repeat(2_000) })).toBe('request.invalid');
    for (const junk of [null, 'text', [], [[1]], 7]) expect(await codeOf(junk)).toBe('request.invalid');
    expect(await socket.timeout(5_000).emitWithAck('session.subscribe')).toMatchObject({ ok: false, code: 'request.invalid' });
    expect(socket.connected).toBe(true);
    expect(await codeOf({ sessionId })).toBe('ok');
  });

  it('says that the session service is away, and works again when it is back', async () => {
    const sessionId = newSession();
    append(sessionId, 1);
    const working = gateway.calls['GetSession'];
    delete gateway.calls['GetSession'];
    const watcher = watch();
    expect(await watcher.subscribe({ sessionId, models: [SESSION_MODEL] })).toMatchObject({ ok: false, code: 'internal' });
    if (working !== undefined) gateway.calls['GetSession'] = working;
    expect(await watcher.subscribe({ sessionId, models: [SESSION_MODEL] })).toMatchObject({ ok: true });
    await until(() => watcher.snapshots.length === 1);
  });

  it('takes the place of the subscription before', async () => {
    const sessionId = newSession();
    append(sessionId, 2);
    const watcher = watch();
    await watcher.subscribe({ sessionId });
    await until(() => watcher.events.length >= 2);
    await watcher.subscribe({ sessionId, after: watcher.events.at(-1)?.id ?? '' });
    append(sessionId, 2);
    await until(() => watcher.events.length >= 4);
    await sleep(50);
    expect(ids(watcher.events)).toEqual(idsOf(sessionId));
  });

  it('holds a bounded number of sessions', async () => {
    const watcher = watch();
    for (let n = 0; n < MAX_SUBSCRIPTIONS_PER_SOCKET; n++) {
      const sessionId = newSession();
      append(sessionId, 1);
      expect(await watcher.subscribe({ sessionId })).toMatchObject({ ok: true });
    }
    const sessionId = newSession();
    append(sessionId, 1);
    expect(await watcher.subscribe({ sessionId })).toMatchObject({ ok: false, code: 'sync.too-many' });
  });
});

describe('session.unsubscribe', () => {
  it('ends the events, and may be repeated', async () => {
    const sessionId = newSession();
    append(sessionId, 1);
    const watcher = watch();
    await watcher.subscribe({ sessionId });
    await until(() => watcher.events.length === 1);
    for (let n = 0; n < 2; n++) {
      expect(await watcher.socket.timeout(5_000).emitWithAck('session.unsubscribe', { sessionId })).toEqual({ ok: true });
    }
    append(sessionId, 1);
    await sleep(50);
    expect(watcher.events).toHaveLength(1);
  });
});

describe('session.head', () => {
  it('comes from the leader, to subscribers', async () => {
    const sessionId = newSession();
    append(sessionId, 2);
    const [subscribed, other] = [watch(), watch()];
    await subscribed.subscribe({ sessionId });
    await until(() => subscribed.heads.length > 0);
    expect(subscribed.heads[0]).toBe(idsOf(sessionId).at(-1));
    expect(other.heads).toEqual([]);
  });
});

describe('a slow socket', () => {
  it('is told that it lags, and goes on from where it was', async () => {
    const sessionId = newSession();
    append(sessionId, 1);
    const slow = watch();
    await slow.subscribe({ sessionId });
    await until(() => slow.events.length === 1);
    const engine = slow.socket.io.engine as unknown as { transport: { ws: { _socket: { pause(): void; resume(): void } } } };
    const connection = engine.transport.ws._socket;
    connection.pause();
    // Beyond what the kernel's buffers take in.
    const rounds = (MAX_SOCKET_BUFFER_BYTES * 4) / 400_000;
    for (let n = 0; n < rounds; n++) {
      append(sessionId, 4, 'agent', 100_000);
      await sleep(1);
    }
    connection.resume();
    await until(() => slow.errors.length > 0);
    expect(slow.errors).toMatchObject([{ code: 'sync.lagging', details: { sessionId } }]);
    expect(slow.events.length).toBeLessThan(idsOf(sessionId).length);
    await slow.subscribe({ sessionId, after: slow.events.at(-1)?.id ?? '0' });
    await until(() => slow.events.length === idsOf(sessionId).length);
    expectClosed(slow.events, null);
  });
});

describe('subscribing while events are appended', () => {
  const SEEDS = 30;

  it.each(Array.from({ length: SEEDS }, (_, seed) => seed + 1))('gives each event once and in order (seed %i)', async (seed) => {
    const random = generator(seed);
    const sessionId = newSession();
    append(sessionId, 1 + random(5), 'core');
    log.delay = () => (random(3) === 0 ? Promise.resolve() : sleep(random(4)));
    const known = idsOf(sessionId);
    const after = random(2) === 0 ? (known[random(known.length)] ?? '0') : '0';
    const models = random(3) === 0 ? [SESSION_MODEL] : [];
    const writing = (async () => {
      for (let n = 0; n < 15; n++) {
        append(sessionId, 1 + random(6), random(2) === 0 ? 'agent' : 'sandbox');
        if (random(3) > 0) await sleep(random(3));
      }
    })();
    const watchers = [watch(), watch(), watch()];
    for (const watcher of watchers) {
      await sleep(random(8));
      expect(await watcher.subscribe({ sessionId, after, models })).toMatchObject({ ok: true });
    }
    await writing;
    const expected = idsOf(sessionId).slice(idsOf(sessionId).indexOf(after) + 1);
    for (const watcher of watchers) {
      await until(() => watcher.events.at(-1)?.id === expected.at(-1));
      expect(ids(watcher.events)).toEqual(expected);
      expectClosed(watcher.events, after === '0' ? null : after);
      watcher.socket.disconnect();
    }
    log.delay = () => Promise.resolve();
  });
});
