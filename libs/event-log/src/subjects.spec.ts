import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { isEntityId } from '@bullpen/contracts';

import { laneOfSubject, laneSubject, newEntityId, sessionSubjects } from './index.js';
import { tailSubjects } from './subjects.js';

describe('Subjects', () => {
  it('name partition, entity, id and lane, there and back', () => {
    const id = '00abcdefghijklmnopqrstuv';
    expect(laneSubject({ entity: 'session', id, name: 'agent' })).toBe(`evt.00.session.${id}.agent`);
    expect(laneSubject({ entity: 'repository', id, name: 'pool' })).toBe(`evt.00.repository.${id}.pool`);
    expect(laneOfSubject(`evt.00.repository.${id}.pool`)).toEqual({ entity: 'repository', id, name: 'pool' });
    expect(sessionSubjects(id)).toBe(`evt.00.session.${id}.*`);
  });

  it('are never made of an id that is none', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (id) => {
        fc.pre(!isEntityId(id));
        expect(() => laneSubject({ entity: 'session', id, name: 'core' })).toThrow(
          expect.objectContaining({ code: 'session.not-found' }),
        );
      }),
    );
    expect(() => laneSubject({ entity: 'repository', id: '*', name: 'core' })).toThrow(
      expect.objectContaining({ code: 'repository.not-found' }),
    );
  });

  it('are no lane when anything about them is strange', () => {
    const id = newEntityId();
    const strange = [
      '',
      'evt',
      `evt.01.session.${id}.core`,
      `evt.00.session.${id}`,
      `evt.00.session.${id}.core.x`,
      `evt.00.session.${id}.pool`,
    ];
    for (const subject of [...strange, `evt.00.user.${id}.core`, `x.00.session.${id}.core`, 'evt.00.session.*.core']) {
      expect(laneOfSubject(subject)).toBeNull();
    }
  });

  it('of a tail are one lane of all entities, or everything', () => {
    expect(tailSubjects(undefined)).toBeUndefined();
    expect(tailSubjects('all')).toBeUndefined();
    expect(tailSubjects({ entity: 'session', lane: 'core' })).toBe('evt.*.session.*.core');
    expect(() => tailSubjects({ entity: 'session', lane: '>' })).toThrow(expect.objectContaining({ code: 'lane.unknown' }));
  });
});
