import { describe, expect, it } from '@jest/globals';

import { Rejection } from '@bullpen/errors';

import { EVENT_SCHEMAS, CLOSED_SETS } from './events.js';
import type { EventType } from './events.js';
import { parseEventData } from './validate.js';

describe('parseEventData', () => {
  it('fills in zeros and empty strings', () => {
    expect(parseEventData('UsageReported', { model: 'm' })).toEqual({
      model: 'm',
      inputTokens: 0,
      outputTokens: 0,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
      costUsd: 0,
    });
  });

  it('keeps the arguments of a tool as they are', () => {
    const input = { path: 'a', deep: { list: [1, null, true] } };
    expect(parseEventData('ToolCallStarted', { toolCallId: 't', name: 'write', input, title: '' }).input).toEqual(input);
  });

  it('refuses unknown fields and wrong types', () => {
    expect(() => parseEventData('TurnStarted', { turnId: 't', extra: 1 })).toThrow(Rejection);
    expect(() => parseEventData('TurnStarted', { attempt: 'many' })).toThrow(Rejection);
    expect(() => parseEventData('TurnStarted', null)).toThrow(Rejection);
  });

  it('refuses a value outside a closed set, in lists too', () => {
    expect(() => parseEventData('TurnEnded', { turnId: 't', outcome: 'great' })).toThrow(/completed, failed, cancelled/);
    expect(() => parseEventData('FilesChanged', { files: [{ path: 'a', change: 'added' }, { path: 'b', change: 'x' }] })).toThrow(
      Rejection,
    );
  });
});

describe('CLOSED_SETS', () => {
  it('names fields that their message has', () => {
    for (const [type, sets] of Object.entries(CLOSED_SETS)) {
      for (const path of Object.keys(sets ?? {})) {
        const first = path.split('.')[0]?.replace('[]', '') ?? '';
        expect(EVENT_SCHEMAS[type as EventType].fields.map((field) => field.jsonName)).toContain(first);
      }
    }
  });
});
