import { describe, expect, it } from '@jest/globals';

import type { QueuedPrompt, Turn } from '@bullpen/session-model';

import { authorsOf, initialsOf } from './people.js';

const by = (name: string, email: string) => ({ author: { name, email } });
const names = (turns: unknown[], queue: unknown[] = []): string[] =>
  authorsOf({ turns: turns as Turn[], queue: queue as QueuedPrompt[] }).map(({ name }) => name);

describe('authorsOf', () => {
  it('names each person once, the first one first', () => {
    expect(names([by('Ada', 'a@x'), by('Bo', 'b@x'), by('Ada L.', 'a@x')])).toEqual(['Ada', 'Bo']);
  });

  it('counts who only waits in the queue', () => expect(names([by('Ada', 'a@x')], [by('Cy', 'c@x')])).toEqual(['Ada', 'Cy']));

  it('tells people without an address by their names', () => expect(names([by('Ada', ''), by('Bo', ''), by('Ada', '')])).toEqual(['Ada', 'Bo']));
});

describe('initialsOf', () => {
  it.each([
    ['Ada King Lovelace', 'AL'],
    ['ada', 'A'],
    ['  élise  moreau ', 'ÉM'],
    ['', '?'],
  ])('of "%s" are %s', (name, initials) => expect(initialsOf(name)).toBe(initials));
});
