import { beforeEach, describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';

import { createSessionReader } from './session-reader.js';

const sessionId = '00aaaaaaaaaaaaaaaaaaaaaaaaaa';
let events: SessionEvent[];
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
    const place = events.findIndex(({ id }) => id === after);
    if (after !== '0' && place === -1) throw new Rejection('event.unknown', 'gone');
    yield* events.slice(place + 1);
  },
} as unknown as EventLog;

beforeEach(() => {
  events = [];
  meanwhile = () => undefined;
  append('SessionRenamed', { title: 'one' });
});

describe('the reader of sessions', () => {
  it('reads on from what it read last', async () => {
    const reader = createSessionReader(log);
    expect((await reader.read(sessionId)).title).toBe('one');
    append('SessionRenamed', { title: 'two' });
    expect((await reader.read(sessionId)).title).toBe('two');
  });

  it('does not find what was deleted and erased since it read last', async () => {
    const reader = createSessionReader(log);
    await reader.read(sessionId);
    append('SessionDeleted');
    append('LaneClosed');
    eraseBeforeLast();
    for (let time = 0; time < 2; time += 1) await expect(reader.read(sessionId)).rejects.toMatchObject({ code: 'session.not-found' });
  });

  it('does not find what is erased while it reads', async () => {
    const reader = createSessionReader(log);
    append('SessionRenamed', { title: 'two' });
    meanwhile = () => events.pop();
    await expect(reader.read(sessionId)).rejects.toMatchObject({ code: 'session.not-found' });
  });
});
