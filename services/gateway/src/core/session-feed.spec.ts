import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { SessionEvent } from '@bullpen/contracts';
import type { LogMessage } from '@bullpen/event-log';

import { MAX_WAITING_MESSAGES, OPENING_FEED, eventsAfter, openFeed, takeMessage } from './session-feed.js';
import type { SessionFeed, Stamp } from './session-feed.js';

/** Message n holds n % 3 + 1 events, numbered n.0, n.1 … as n × 256 and on. */
const message = (sequence: number): LogMessage => ({
  lane: { entity: 'session', id: 's', name: 'agent' },
  sequence,
  events: Array.from({ length: (sequence % 3) + 1 }, () => ({
    type: 'T',
    v: 1,
    at: '',
    actor: { kind: 'user', id: '', name: '' },
    data: {},
  })),
  frames: null,
});

const stamp: Stamp = ({ sequence, events }, prev) =>
  events.map((event, index) => ({
    ...event,
    id: String(sequence * 256 + index),
    prev: index === 0 ? prev : String(sequence * 256 + index - 1),
    sessionId: 's',
    lane: 'agent' as const,
  }));

const lastIdOf = (sequence: number): string => (sequence === 0 ? '0' : String(sequence * 256 + (sequence % 3)));
const head = (sequence: number) => ({ id: lastIdOf(sequence), sequence });

function follow(steps: readonly (LogMessage | { readonly head: number })[]): { feed: SessionFeed; events: SessionEvent[] } {
  let feed: SessionFeed = OPENING_FEED;
  const events: SessionEvent[] = [];
  for (const step of steps) {
    const next = 'head' in step ? openFeed(feed, head(step.head), stamp) : takeMessage(feed, step, stamp);
    feed = next.feed;
    events.push(...next.events);
  }
  return { feed, events };
}

describe('a session feed', () => {
  it('holds messages until it knows the head', () => {
    expect(follow([message(1), message(2)]).events).toEqual([]);
  });

  it('passes on exactly what is above the head, however far the tail is when the head comes', () => {
    const scenario = fc.record({ count: fc.integer({ min: 1, max: 20 }), start: fc.nat(19), at: fc.nat(20), headAt: fc.nat(20) });
    fc.assert(
      fc.property(scenario, ({ count, start, at, headAt }) => {
        // The tail hands out messages start+1 … count; the leader, asked when `at` of them had come, is never behind the tail.
        const first = Math.min(start, count) + 1;
        const messages = Array.from({ length: count - first + 1 }, (_, n) => message(first + n));
        const before = Math.min(at, messages.length);
        const known = Math.max(first - 1, Math.min(headAt, count));
        const { events } = follow([...messages.slice(0, before), { head: known }, ...messages.slice(before)]);
        const expected = messages
          .filter((each) => each.sequence > known)
          .flatMap((each) => stamp(each, lastIdOf(each.sequence - 1)));
        expect(events.map(({ id, prev }) => [id, prev])).toEqual(
          expected.map(({ id, prev }) => [id, prev === '0' ? null : prev]),
        );
      }),
    );
  });

  it('ignores a message that comes again', () => {
    expect(follow([{ head: 0 }, message(1), message(1)]).events.map((each) => each.id)).toEqual(['256', '257']);
  });

  it('gives up when more waits than it may hold, and stays so', () => {
    const many = Array.from({ length: MAX_WAITING_MESSAGES + 1 }, (_, n) => message(n + 1));
    expect(follow([...many, { head: 0 }, message(9_999)])).toEqual({ feed: { phase: 'overflowed' }, events: [] });
  });
});

describe('eventsAfter', () => {
  const events = [1, 2].flatMap((sequence) => stamp(message(sequence), null));

  it('leaves out what the reader has, to the event', () => {
    expect(eventsAfter(events, '0')).toBe(events);
    expect(eventsAfter(events, '256').map((each) => each.id)).toEqual(['257', '512', '513', '514']);
    expect(eventsAfter(events, '514')).toEqual([]);
  });
});
