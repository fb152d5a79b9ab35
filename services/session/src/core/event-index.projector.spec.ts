import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { ProjectedEvent } from '@bullpen/eventsourcing';

import { eventIndexProjector, readingStart } from './event-index.projector.js';
import type { IndexedSession } from './event-index.projector.js';

const lane = { entity: 'session', id: '00aaaaaaaaaaaaaaaaaaaaaaaaaa', name: 'agent' } as const;
const event = (id: number, type = 'MoonRose'): ProjectedEvent =>
  ({ id: String(id), lane, type, v: 1, at: '', actor: { kind: 'user', id: '', name: '' }, data: {} }) as never;
const project = (events: readonly ProjectedEvent[], from: IndexedSession | null = null): IndexedSession | null => events.reduce(eventIndexProjector.apply, from);
const sessionOf = ([first = 0, ...rest]: readonly number[]): ProjectedEvent[] => [event(first, 'SessionCreated'), ...rest.map((id) => event(id))];

/** Ids of a session that has messages of up to 256 events here and there in the log. */
const idsOfSession = fc
  .array(fc.record({ gap: fc.integer({ min: 1, max: 9 }), events: fc.integer({ min: 1, max: 256 }) }), { minLength: 1, maxLength: 30 })
  .map((messages) => {
    let sequence = 0;
    return messages.flatMap(({ gap, events }) => {
      sequence += gap;
      return Array.from({ length: events }, (_, index) => sequence * 256 + index);
    });
  });

describe('the index of events', () => {
  it('counts events of any type, and marks every hundredth', () => {
    const ids = Array.from({ length: 250 }, (_, n) => 512 + n);
    const row = { sessionId: lane.id, events: 250, rev: '761', marks: ['611', '711'] };
    expect(project(sessionOf(ids))).toEqual(row);
    expect(project(sessionOf(ids), row)).toEqual(row);
  });

  it('has nothing of a deleted session, whatever its lanes still get, and nothing of a repository', () => {
    const events = sessionOf([256, 512]);
    for (const type of ['SessionDeleted', 'LaneClosed']) expect(project([...events, event(768, type), event(1024), event(1280, 'LaneClosed')])).toBeNull();
    expect(project([event(256, 'RepositoryAdded')])).toBeNull();
  });

  it('leads to the page that a scan from the beginning gives, however far it has come, and to little more when it is complete', () => {
    fc.assert(
      fc.property(idsOfSession, fc.integer({ min: 1, max: 1_000 }), fc.nat(), fc.nat(), (ids, count, at, through) => {
        const before = ids[at % ids.length] ?? 0;
        const startWith = (indexed: readonly number[]): number => Number(readingStart(project(sessionOf(indexed))?.marks ?? [], String(before), count));
        const start = startWith(ids);
        const read = ids.filter((id) => id > start && id < before);
        expect(read.slice(-count)).toEqual(ids.filter((id) => id < before).slice(-count));
        expect(read.length).toBeLessThan(count + 200);
        const earlier = startWith(ids.slice(0, 1 + (through % ids.length)));
        expect(earlier).toBeLessThanOrEqual(start);
        expect(earlier === 0 || ids.includes(earlier)).toBe(true);
      }),
    );
  });
});
