import { beforeEach, describe, expect, it } from '@jest/globals';

import { Fault } from '@bullpen/errors';

import type { LogFields, Logger } from './logger.js';
import { withoutRepeats } from './without-repeats.js';

let lines: [level: string, message: string, fields: LogFields][];
let now: number;
let logger: Logger;

beforeEach(() => {
  [lines, now] = [[], 0];
  const to = (level: string) => (message: string, fields: LogFields = {}) => void lines.push([level, message, fields]);
  const target: Logger = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error'), child: () => target };
  logger = withoutRepeats(target, () => now);
});

const levels = (): string[] => lines.map(([level]) => level);
const away = (code = 'postgres.unavailable'): Fault => new Fault(code, `away at ${now}`);

describe('withoutRepeats', () => {
  it('shows an outage at its start and then once in half a minute, with how many were left out', () => {
    for (; now < 60_000; now += 100) logger.warn('call failed', { error: away() });
    const warnings = lines.filter(([level]) => level === 'warn');
    expect(warnings.map(([, , fields]) => fields['repeated'])).toEqual([undefined, 299]);
    expect(lines).toHaveLength(600);
  });

  it('tells other messages and other kinds of errors apart, and leaves out no error', () => {
    logger.warn('call failed', { error: away() });
    logger.warn('call failed', { error: away('log.unavailable') });
    logger.warn('projection waits', { error: away() });
    logger.warn('call failed', { error: new Error('one') });
    logger.warn('call failed', { error: new Error('two') });
    for (let times = 0; times < 2; times++) logger.error('call broke', { error: away() });
    expect(levels()).toEqual(['warn', 'warn', 'warn', 'warn', 'warn', 'error', 'error']);
  });

  it('keeps a bounded number of kinds', () => {
    for (let kind = 0; kind < 300; kind++) logger.warn(`message ${kind}`);
    logger.warn('message 299');
    logger.warn('message 0');
    expect(levels().slice(-2)).toEqual(['debug', 'warn']);
  });
});
