import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { SessionEvent } from '@bullpen/contracts';

import { MAX_HELD_BYTES, MAX_HELD_EVENTS, goLive, newSubscriber, noteRead, takeLive } from './subscriber.js';

const event = (n: number): SessionEvent => ({
  id: String(n),
  prev: n === 1 ? null : String(n - 1),
  sessionId: 's',
  lane: 'agent',
  type: 'T',
  v: 1,
  at: '',
  actor: { kind: 'user', id: '', name: '' },
  data: {},
});
const range = (from: number, to: number): SessionEvent[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => event(from + n));

describe('a subscriber', () => {
  it('gets each event once, wherever its read of the log and the tail meet', () => {
    const scenario = fc.record({
      total: fc.integer({ min: 1, max: 60 }),
      tailFrom: fc.nat(60),
      readTo: fc.nat(60),
      early: fc.nat(60),
    });
    fc.assert(
      fc.property(scenario, ({ total, tailFrom, readTo, early }) => {
        // The tail begins at or below the head that the read goes up to.
        const head = Math.min(readTo, total);
        const first = Math.min(tailFrom, head) + 1;
        const arrived = Math.min(Math.max(early, first - 1), total);
        const sent = [];
        let subscriber = takeLive(newSubscriber('0'), range(first, arrived)).subscriber;
        sent.push(...range(1, head));
        subscriber = noteRead(subscriber, String(head));
        const live = goLive(subscriber);
        sent.push(...live.send);
        sent.push(...takeLive(live.subscriber, range(arrived + 1, total)).send);
        expect(sent.map((each) => each.id)).toEqual(range(1, total).map((each) => each.id));
      }),
    );
  });

  it('lags when more is held than it may, and then takes nothing', () => {
    const full = takeLive(newSubscriber('0'), range(1, MAX_HELD_EVENTS)).subscriber;
    const lagging = takeLive(full, [event(MAX_HELD_EVENTS + 1)]).subscriber;
    expect([full.phase, lagging.phase]).toEqual(['reading', 'lagging']);
    expect(takeLive(lagging, [event(1)])).toEqual({ subscriber: lagging, send: [] });
    expect(goLive(lagging)).toEqual({ subscriber: lagging, send: [] });
    expect(noteRead(lagging, '5')).toBe(lagging);
  });

  it('lags when what is held has too many bytes', () => {
    const large = (n: number): SessionEvent => ({ ...event(n), data: { text: 'x'.repeat(MAX_HELD_BYTES / 4) } });
    const held = takeLive(newSubscriber('0'), [large(1), large(2), large(3)]).subscriber;
    expect([held.phase, takeLive(held, [large(4)]).subscriber.phase]).toEqual(['reading', 'lagging']);
    expect(goLive(held).send).toHaveLength(3);
  });
});
