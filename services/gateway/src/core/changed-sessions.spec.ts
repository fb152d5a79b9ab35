import { describe, expect, it } from '@jest/globals';

import type { Lane, LogMessage } from '@bullpen/event-log';

import { ChangedSessions, MAX_CHANGED_SESSIONS } from './changed-sessions.js';

function message(id: string, sequence: number, ...types: string[]): LogMessage {
  const lane: Lane = { entity: 'session', id, name: 'core' };
  const actor = { kind: 'user', id: 'u', name: 'Uma' } as const;
  return { lane, sequence, frames: null, events: types.map((type) => ({ type, v: 1, at: '', actor, data: {} })) };
}

describe('sessions whose line may have changed', () => {
  it('are known by the last event that says so', () => {
    const changed = new ChangedSessions();
    for (const each of [message('a', 1, 'TurnStarted'), message('b', 2, 'TurnEnded', 'TurnStarted'), message('a', 3, 'TurnEnded')]) {
      expect(changed.note(each)).toBe(true);
    }
    expect([...changed.take(10)]).toEqual([
      ['a', '768'],
      ['b', '513'],
    ]);
    expect(changed.size).toBe(0);
  });

  it('are none for what is in no line, nor for repositories', () => {
    const changed = new ChangedSessions();
    changed.note(message('a', 1, 'ReasoningAppended', 'UsageReported'));
    changed.note({ ...message('a', 1, 'RepositoryAdded'), lane: { entity: 'repository', id: 'r', name: 'core' } });
    expect(changed.size).toBe(0);
    changed.note(message('a', 2, 'ReasoningAppended', 'ToolCallStarted'));
    expect(changed.size).toBe(1);
  });

  it('go on waiting when they could not be asked for, with what came since', () => {
    const changed = new ChangedSessions();
    for (const id of ['a', 'b', 'c']) changed.note(message(id, 1, 'TurnStarted'));
    const taken = changed.take(2);
    changed.note(message('a', 2, 'TurnEnded'));
    changed.giveBack(taken);
    expect([...changed.take(10)]).toEqual([
      ['a', '512'],
      ['b', '256'],
      ['c', '256'],
    ]);
  });

  it('are bounded', () => {
    const changed = new ChangedSessions();
    for (let n = 0; n < MAX_CHANGED_SESSIONS; n++) changed.note(message(`s${n}`, 1, 'TurnStarted'));
    expect(changed.note(message('one-more', 2, 'TurnStarted'))).toBe(false);
    expect(changed.note(message('s0', 2, 'TurnStarted'))).toBe(true);
    expect(changed.size).toBe(MAX_CHANGED_SESSIONS);
  });
});
