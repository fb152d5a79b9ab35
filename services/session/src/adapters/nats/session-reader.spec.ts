import { beforeEach, describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';

import type { SessionState } from '@bullpen/session-model';
import { silentLogger } from '@bullpen/telemetry';

import type { SessionSnapshots } from '../../core/ports.js';
import { createSessionReader } from './session-reader.js';

const sessionId = '00aaaaaaaaaaaaaaaaaaaaaaaaaa';
let events: SessionEvent[];
let snapshot: () => Promise<SessionState | null>;
/** Where readings of the log began. */
let readFrom: string[];
/** What happens to the log between the question for its head and the reading. */
let meanwhile: () => void;

function append(type: string, data: object = {}): void {
  const id = String(256 * (Number(events.at(-1)?.id ?? 0) / 256 + 1));
  const actor = { kind: 'user', id: 'u', name: 'Uma' } as const;
  events.push({ id, prev: events.at(-1)?.id ?? null, sessionId, lane: 'core', type, v: 1, at: '', actor, data: data as never });
}
function eraseBeforeLast(): void {
  events = events.slice(-1);
}

const log = {
  sessionHead: async () => {
    const head = events.at(-1)?.id ?? '0';
    meanwhile();
    return { id: head, sequence: Number(head) / 256 };
  },
  async *readSession(_: string, { after }: { after: string }) {
    readFrom.push(after);
    const place = events.findIndex(({ id }) => id === after);
    if (after !== '0' && place === -1) throw new Rejection('event.unknown', 'gone');
    yield* events.slice(place + 1);
  },
} as unknown as EventLog;

const snapshots = { load: () => snapshot() } as unknown as SessionSnapshots;

beforeEach(() => {
  events = [];
  readFrom = [];
  snapshot = async () => null;
  meanwhile = () => undefined;
  append('SessionRenamed', { title: 'one' });
});

describe('the reader of sessions', () => {
  it('reads on from what it read last', async () => {
    const reader = createSessionReader({ log, snapshots, logger: silentLogger });
    expect((await reader.read(sessionId)).title).toBe('one');
    append('SessionRenamed', { title: 'two' });
    expect((await reader.read(sessionId)).title).toBe('two');
  });

  it('begins at the snapshot, at the beginning without one, and asks for it once', async () => {
    const reader = createSessionReader({ log, snapshots, logger: silentLogger });
    const kept = await reader.read(sessionId);
    append('SessionRenamed', { title: 'two' });
    const whole = await reader.read(sessionId);
    for (const [load, from] of [
      [async () => kept, kept.head],
      [async () => ({ ...kept, head: '999999' }), '0'],
      [async () => Promise.reject(new Error('the database is away')), '0'],
      [() => new Promise<never>(() => undefined), '0'],
    ] as const) {
      let asked = 0;
      snapshot = () => {
        asked += 1;
        return load();
      };
      readFrom = [];
      const cold = createSessionReader({ log, snapshots, logger: silentLogger });
      for (let time = 0; time < 2; time += 1) expect(await cold.read(sessionId)).toEqual(whole);
      expect([readFrom, asked]).toEqual([[from], 1]);
    }
  });

  it('does not find what was erased since its snapshot was kept', async () => {
    const kept = await createSessionReader({ log, snapshots, logger: silentLogger }).read(sessionId);
    snapshot = async () => kept;
    append('SessionDeleted');
    append('LaneClosed');
    eraseBeforeLast();
    await expect(createSessionReader({ log, snapshots, logger: silentLogger }).read(sessionId)).rejects.toMatchObject({ code: 'session.not-found' });
  });

  it('does not find what was deleted and erased since it read last', async () => {
    const reader = createSessionReader({ log, snapshots, logger: silentLogger });
    await reader.read(sessionId);
    append('SessionDeleted');
    append('LaneClosed');
    eraseBeforeLast();
    for (let time = 0; time < 2; time += 1) await expect(reader.read(sessionId)).rejects.toMatchObject({ code: 'session.not-found' });
  });

  it('does not find what is erased while it reads', async () => {
    const reader = createSessionReader({ log, snapshots, logger: silentLogger });
    append('SessionRenamed', { title: 'two' });
    meanwhile = () => events.pop();
    await expect(reader.read(sessionId)).rejects.toMatchObject({ code: 'session.not-found' });
  });
});
