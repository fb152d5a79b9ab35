import { describe, expect, it } from '@jest/globals';

import { lastWords } from './last-words.js';

const line = (level: string, msg: string, error?: object): string => JSON.stringify({ level, time: 't', service: 's', msg, ...(error ? { error } : {}) });
const REFUSED = { type: 'Rejection', code: 'log.not-authorized', message: 'The event log refuses the user session.', stack: 'at x' };

describe('lastWords', () => {
  it('tells errors of structured lines once, by code and message, without their stacks', () => {
    const text = [line('info', 'starting'), line('warn', 'slow'), line('error', 'cannot start', REFUSED), line('error', 'cannot start', REFUSED)].join('\n');
    expect(lastWords(text)).toBe('log.not-authorized: The event log refuses the user session.');
  });

  it('tells what broke when the error has no code of its own', () => {
    expect(lastWords(line('error', 'platform does not start', { type: 'TypeError', code: 'internal', message: 'x is null' }))).toBe(
      'platform does not start: TypeError: x is null',
    );
  });

  it('tells warnings when there are no errors, and plain lines when there are neither', () => {
    expect(lastWords(`${line('info', 'a')}\n${line('warn', 'disk is slow')}`)).toBe('disk is slow');
    expect(lastWords(`${line('info', 'a')}\nSegmentation fault\n`)).toBe('Segmentation fault');
    expect(lastWords('\n')).toBe('(it said nothing)');
  });
});
