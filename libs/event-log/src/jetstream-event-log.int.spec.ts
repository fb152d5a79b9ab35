import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, deferred } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { SessionEvent, SessionLane, StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import {
  connectEventLog,
  ensureEventStream,
  EVENT_STREAM,
  eventId,
  inboxPrefixOf,
  LaneConflict,
  laneSubject,
  NATS_USERS,
  newEntityId,
} from './index.js';
import type { EventLog, Lane, LogMessage, NatsUser } from './index.js';
import { ALL_LANES, ownedSubjects } from './server-config.js';

let nats: TestNats;
let session: EventLog;
let orchestrator: EventLog;

beforeAll(async () => {
  nats = await startTestNats();
  session = await open('session');
  orchestrator = await open('orchestrator');
});

afterAll(async () => {
  await session?.close();
  await orchestrator?.close();
  await nats?.stop();
});

function open(user: NatsUser, url = nats.url): Promise<EventLog> {
  return connectEventLog({ url, user, password: nats.passwords[user], logger: silentLogger });
}

function event(text: string): StoredEvent {
  return {
    type: 'PromptQueued',
    v: 1,
    at: '2026-01-01T00:00:00.000Z',
    actor: { kind: 'user', id: 'local', name: 'A' },
    data: { text },
  };
}

function lane(id: string, name: SessionLane = 'core'): Lane {
  return { entity: 'session', id, name };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe('append', () => {
  it('puts several events into one message and numbers them', async () => {
    const id = newEntityId();
    const appended = await session.append({ lane: lane(id), events: [event('a'), event('b')], expected: 0, key: 'k1' });
    expect(appended.lastId).toBe(eventId(appended.sequence, 1));
    const end = await session.laneEnd(lane(id));
    expect(end.sequence).toBe(appended.sequence);
    expect(end.message?.events).toEqual([event('a'), event('b')]);
  });

  it('conflicts when the lane ends elsewhere, and says where', async () => {
    const id = newEntityId();
    const first = await session.append({ lane: lane(id), events: [event('a')], expected: 0, key: 'k1' });
    const wrong = session.append({ lane: lane(id), events: [event('b')], expected: 0, key: 'k2' });
    await expect(wrong).rejects.toMatchObject({ name: 'LaneConflict', expected: 0, actual: first.sequence });
    await expect(wrong).rejects.toBeInstanceOf(LaneConflict);
  });

  it('adds nothing when the same append is repeated at once', async () => {
    const id = newEntityId();
    const request = { lane: lane(id), events: [event('a')], expected: 0, key: 'k1' };
    const [first, second] = await Promise.all([session.append(request), session.append(request)]);
    expect(second).toEqual(first);
    expect(await session.append(request)).toEqual(first);
    expect(await collect(session.readLane(lane(id)))).toHaveLength(1);
  });

  it('does not take another lane of the same key for a repeat', async () => {
    const [one, two] = [newEntityId(), newEntityId()];
    await session.append({ lane: lane(one), events: [event('a')], expected: 0, key: 'same' });
    await session.append({ lane: lane(two), events: [event('b')], expected: 0, key: 'same' });
    expect(await collect(session.readLane(lane(two)))).toHaveLength(1);
  });

  it('refuses ids that could name other subjects, before they reach the server', async () => {
    for (const id of ['*', '>', 'short', '00ABCDEFGHIJKLMNOPQRSTUVWX', '00aaaaaaaaaaaaaaaaaaaaaaaa.core']) {
      await expect(session.append({ lane: lane(id), events: [event('a')], expected: 0, key: 'k' })).rejects.toMatchObject({
        code: 'session.not-found',
      });
      await expect(session.sessionHead(id)).rejects.toMatchObject({ code: 'session.not-found' });
      await expect(collect(session.readSession(id, { after: '0' }))).rejects.toMatchObject({ code: 'session.not-found' });
    }
  });

  it('refuses no events, too many, and too large ones', async () => {
    const id = newEntityId();
    const events = (count: number, text = 'a') => Array.from({ length: count }, () => event(text));
    const attempt = (list: StoredEvent[]) => session.append({ lane: lane(id), events: list, expected: 0, key: 'k' });
    await expect(attempt([])).rejects.toMatchObject({ code: 'append.invalid' });
    await expect(attempt(events(257))).rejects.toMatchObject({ code: 'append.invalid' });
    await expect(attempt(events(4, 'x'.repeat(140_000)))).rejects.toMatchObject({ code: 'append.too-large' });
    await expect(attempt(events(256))).resolves.toBeDefined();
  });
});

describe('readSession', () => {
  const id = newEntityId();
  let all: SessionEvent[];

  beforeAll(async () => {
    const core = await session.append({ lane: lane(id), events: [event('a'), event('b'), event('c')], expected: 0, key: '1' });
    await orchestrator.append({ lane: lane(id, 'agent'), events: [event('d'), event('e')], expected: 0, key: '2' });
    await session.append({ lane: lane(newEntityId()), events: [event('other')], expected: 0, key: '3' });
    await session.append({ lane: lane(id), events: [event('f')], expected: core.sequence, key: '4' });
    all = await collect(session.readSession(id, { after: '0' }));
  });

  it('gives all lanes in order with a closed chain of prev', () => {
    expect(all.map(({ data }) => data['text'])).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect(all.map(({ lane: name }) => name)).toEqual(['core', 'core', 'core', 'agent', 'agent', 'core']);
    expect(all.map(({ prev }) => prev)).toEqual([null, ...all.slice(0, -1).map((one) => one.id)]);
  });

  it('resumes after any event, inside a message too, with the same bytes', async () => {
    for (const [index, { id: after }] of all.entries()) {
      expect(JSON.stringify(await collect(session.readSession(id, { after })))).toBe(JSON.stringify(all.slice(index + 1)));
    }
  });

  it('stops at a sequence', async () => {
    const through = Math.floor(Number(all[4]?.id) / 256);
    expect(
      (await collect(session.readSession(id, { after: '0', throughSequence: through }))).map(({ data }) => data['text']).join(''),
    ).toBe('abcde');
    expect(await collect(session.readSession(id, { after: all[5]?.id ?? '', throughSequence: through }))).toEqual([]);
  });

  it('refuses what is no event of this session', async () => {
    const foreign = Math.floor(Number(all[4]?.id) / 256) + 1;
    const unknown = [
      '',
      '-1',
      '01',
      '1',
      'x',
      eventId(foreign, 0),
      String(Number(all[2]?.id) + 1),
      eventId(9_999_999, 0),
      '9'.repeat(30),
    ];
    for (const after of unknown) {
      await expect(collect(session.readSession(id, { after }))).rejects.toMatchObject({ code: 'event.unknown' });
    }
  });

  it('knows the head', async () => {
    expect((await session.sessionHead(id)).id).toBe(all.at(-1)?.id);
    expect(await session.sessionHead(newEntityId())).toEqual({ id: '0', sequence: 0 });
  });

  it('reads what is larger than one batch in count and in bytes', async () => {
    const [many, large] = [newEntityId(), newEntityId()];
    let end = 0;
    for (let n = 0; n < 300; n += 1) {
      end = (await session.append({ lane: lane(many), events: [event(String(n))], expected: end, key: String(n) })).sequence;
    }
    expect((await collect(session.readSession(many, { after: '0' }))).map(({ data }) => data['text'])).toEqual(
      Array.from({ length: 300 }, (_, n) => String(n)),
    );
    expect((await collect(session.readLane(lane(many), end))).map(({ sequence }) => sequence)).toEqual([end]);
    end = 0;
    for (let n = 0; n < 12; n += 1) {
      end = (await session.append({ lane: lane(large), events: [event('x'.repeat(500_000))], expected: end, key: String(n) }))
        .sequence;
    }
    expect(await collect(session.readLane(lane(large)))).toHaveLength(12);
  });
});

describe('tail', () => {
  it('gives each message once and in order, and moves its position only when the handler is done', async () => {
    const from = (await session.lastSequence()) + 1;
    const id = newEntityId();
    const seen: LogMessage[] = [];
    const gate = deferred<void>();
    const tail = await session.tail({ fromSequence: from }, async (message) => {
      seen.push(message);
      if (seen.length === 2) await gate;
    });
    const one = await session.append({ lane: lane(id), events: [event('a')], expected: 0, key: '1' });
    const two = await session.append({ lane: lane(id), events: [event('b')], expected: one.sequence, key: '2' });
    await tail.reached(one.sequence, 2_000);
    expect(tail.position).toBe(one.sequence);
    await expect(tail.reached(two.sequence, 100)).rejects.toMatchObject({ code: 'log.behind' });
    gate.resolve();
    await tail.reached(two.sequence, 2_000);
    expect(seen.map(({ sequence }) => sequence)).toEqual([one.sequence, two.sequence]);
    await tail.stop();
  });

  it('gives a message again when its handler rejected', async () => {
    const from = (await session.lastSequence()) + 1;
    const seen: number[] = [];
    const tail = await session.tail({ fromSequence: from }, (message) => {
      seen.push(message.sequence);
      if (seen.length === 1) throw new Error('not now');
    });
    const { sequence } = await session.append({ lane: lane(newEntityId()), events: [event('a')], expected: 0, key: '1' });
    await tail.reached(sequence, 5_000);
    expect(seen).toEqual([sequence, sequence]);
    await tail.stop();
  });

  it('follows one lane only, and reaches past the messages of others', async () => {
    const from = (await session.lastSequence()) + 1;
    const id = newEntityId();
    const seen: string[] = [];
    const filter = { entity: 'session', lane: 'agent' } as const;
    const tail = await session.tail({ fromSequence: from, filter }, (message) => void seen.push(message.lane.name));
    await orchestrator.append({ lane: lane(id, 'agent'), events: [event('a')], expected: 0, key: '1' });
    const { sequence } = await session.append({ lane: lane(id), events: [event('a')], expected: 0, key: '1' });
    await tail.reached(sequence, 2_000);
    expect(seen).toEqual(['agent']);
    await tail.stop();
  });

  it('goes on past a message that nobody can read', async () => {
    const from = (await session.lastSequence()) + 1;
    const admin = await connectAs('admin');
    const seen: number[] = [];
    const tail = await session.tail({ fromSequence: from }, (message) => void seen.push(message.sequence));
    await jetstream(admin).publish(laneSubject(lane(newEntityId())), 'not json');
    await jetstream(admin).publish('evt.00.session.UPPER.core', '[]');
    const { sequence } = await session.append({ lane: lane(newEntityId()), events: [event('a')], expected: 0, key: '1' });
    await tail.reached(sequence, 2_000);
    expect(seen).toEqual([sequence]);
    await tail.stop();
    await admin.close();
  });
});

describe('permissions', () => {
  it('give each lane at most one owner', () => {
    const owners = (subject: string) => NATS_USERS.filter((user) => user !== 'admin' && ownedSubjects(user).includes(subject));
    const counts = ALL_LANES.map((name) => owners(`evt.*.${name.replace('/', '.*.')}`).length);
    expect(Math.max(...counts)).toBe(1);
    expect(owners('evt.*.session.*.core')).toEqual(['session']);
    expect(owners('evt.*.session.*.agent')).toEqual(['orchestrator']);
  });

  it('keep each service off the lanes of others', async () => {
    const gateway = await open('gateway');
    const id = newEntityId();
    const denied = (log: EventLog, name: SessionLane) =>
      log.append({ lane: lane(id, name), events: [event('a')], expected: 0, key: 'k' });
    await expect(denied(gateway, 'core')).rejects.toMatchObject({ name: 'Bug' });
    await expect(denied(gateway, 'agent')).rejects.toMatchObject({ name: 'Bug' });
    await expect(denied(session, 'agent')).rejects.toMatchObject({ name: 'Bug' });
    await expect(denied(session, 'sandbox')).rejects.toMatchObject({ name: 'Bug' });
    await expect(denied(orchestrator, 'core')).rejects.toMatchObject({ name: 'Bug' });
    await expect(denied(orchestrator, 'artifact')).rejects.toMatchObject({ name: 'Bug' });
    expect(await gateway.sessionHead(id)).toEqual({ id: '0', sequence: 0 });
    await gateway.close();
  });

  it('let nobody but admin delete, purge or change', async () => {
    const { sequence } = await session.append({ lane: lane(newEntityId()), events: [event('a')], expected: 0, key: '1' });
    for (const user of ['session', 'orchestrator', 'gateway'] as const) {
      const nc = await connectAs(user);
      const jsm = await jetstreamManager(nc, { checkAPI: false, timeout: 1_000 });
      await expect(jsm.streams.deleteMessage(EVENT_STREAM, sequence)).rejects.toThrow(/permission/i);
      await expect(jsm.streams.purge(EVENT_STREAM)).rejects.toThrow(/permission/i);
      await expect(jsm.streams.delete(EVENT_STREAM)).rejects.toThrow(/permission/i);
      await expect(jsm.streams.update(EVENT_STREAM, { max_msgs: 1 })).rejects.toThrow(/permission/i);
      await expect(jsm.streams.add({ name: 'OTHER', subjects: ['x'] })).rejects.toThrow(/permission/i);
      await nc.close();
    }
    const admin = await connectAs('admin');
    expect(await (await jetstreamManager(admin)).streams.deleteMessage(EVENT_STREAM, sequence)).toBe(true);
    await admin.close();
  });

  it('refuse who has no password or a wrong one', async () => {
    await expect(connect({ servers: nats.url, reconnect: false })).rejects.toThrow();
    const wrong = connectEventLog({ url: nats.url, user: 'gateway', password: 'wrong', logger: silentLogger });
    await expect(wrong).rejects.toMatchObject({ code: 'log.not-authorized', message: expect.stringContaining('GATEWAY_NATS_PASSWORD') as unknown });
  });

  it('take credentials in the URL rather than those of a service, and repeat none of them', async () => {
    const open = (password: string) =>
      connectEventLog({ url: nats.url.replace('//', `//gateway:${password}@`), user: 'gateway', password: 'wrong', logger: silentLogger });
    await (await open(nats.passwords.gateway)).close();
    const refused = open('s3cret-s3cret-s3cret');
    await expect(refused).rejects.toMatchObject({ code: 'log.not-authorized', message: expect.stringContaining('NATS_URL') as unknown });
    await expect(refused).rejects.not.toThrow(/s3cret/);
  });

  it('keep the answers to one service from another', async () => {
    const gateway = await connectAs('gateway');
    const spy = gateway.subscribe(`${inboxPrefixOf('session')}.>`);
    await expect((async () => collect(spy))()).rejects.toThrow(/permission/i);
    await gateway.close();
  });
});

describe('ensureEventStream', () => {
  it('keeps the epoch when repeated', async () => {
    const again = await ensureEventStream({ url: nats.url, password: nats.passwords.admin, logger: silentLogger });
    expect(again.epoch).toBe(session.epoch);
    expect(again.epoch).toMatch(/^[0-9a-f]{16}$/);
  });

  it('refuses a stream that is set up otherwise', async () => {
    const admin = await connectAs('admin');
    const jsm = await jetstreamManager(admin);
    await jsm.streams.update(EVENT_STREAM, { max_age: 3_600_000_000_000 });
    const ensured = ensureEventStream({ url: nats.url, password: nats.passwords.admin, logger: silentLogger });
    await expect(ensured).rejects.toMatchObject({ code: 'log.stream-differs' });
    await jsm.streams.update(EVENT_STREAM, { max_age: 0 });
    await admin.close();
  });
});

function connectAs(user: NatsUser): Promise<NatsConnection> {
  return connect({ servers: nats.url, user, pass: nats.passwords[user], inboxPrefix: inboxPrefixOf(user) });
}
