import { describe, expect, it } from '@jest/globals';

import type { StoredEvent } from '@bullpen/contracts';

import { newEntityId, stampEvents } from './index.js';

const event: StoredEvent = {
  type: 'X',
  v: 1,
  at: '2026-01-01T00:00:00.000Z',
  actor: { kind: 'user', id: 'a', name: 'a' },
  data: { a: 1 },
};
const id = newEntityId();

describe('stampEvents', () => {
  it('chains the events of a message to what came before', () => {
    const lane = { entity: 'session', id, name: 'core' } as const;
    const stamped = stampEvents({ lane, sequence: 5, events: [event, event], frames: null }, '1030');
    expect(stamped).toEqual([
      { ...event, id: '1280', prev: '1030', sessionId: id, lane: 'core' },
      { ...event, id: '1281', prev: '1280', sessionId: id, lane: 'core' },
    ]);
  });

  it('carries unknown fields on, and lets no stored field pass for a stamp', () => {
    const forged = { ...event, id: '7', prev: '6', sessionId: 'x', extra: true };
    const [stamped] = stampEvents(
      { lane: { entity: 'session', id, name: 'agent' }, sequence: 1, events: [forged], frames: null },
      null,
    );
    expect(stamped).toMatchObject({ id: '256', prev: null, sessionId: id, lane: 'agent', extra: true });
  });

  it('is for sessions only', () => {
    const lane = { entity: 'repository', id, name: 'core' } as const;
    expect(() => stampEvents({ lane, sequence: 1, events: [event], frames: null }, null)).toThrow('not of a session');
  });
});
