import { describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';
import { initialSessionState } from '@bullpen/session-model';

import { SILENCE_MS, beginFollowing, followStep } from './follow.machine.js';
import { ANSWER_TIMEOUT_MS, MAX_HELD_MESSAGES, RETRY_DELAYS_MS } from './follow.states.js';
import type { Followed, FollowInput, FollowOptions, FollowState, FollowStep, SessionMessage } from './follow.states.js';
import { BEHIND_MS } from './protocol.js';

const OPTIONS: FollowOptions = { sessionId: '00s', models: [], maxAttempts: 3 };
const LIVE: FollowState = { status: 'live', position: { epoch: 'e1', last: '512' }, goal: null };

describe('connecting', () => {
  it('asks for everything after 0, and again after what it holds', () => {
    expect(effectsOf(connected(beginFollowing()), 'subscribe')).toEqual([
      { type: 'subscribe', request: { sessionId: '00s', models: [], after: '0' } },
    ]);
    expect(effectsOf(connected(beginFollowing('768')), 'subscribe')).toMatchObject([{ request: { after: '768' } }]);
  });

  it('leaves `after` out when it can take a snapshot and holds nothing', () => {
    const step = followStep(beginFollowing().state, { type: 'connected' }, { ...OPTIONS, models: ['session.v1'] });
    expect(effectsOf(step, 'subscribe')).toEqual([{ type: 'subscribe', request: { sessionId: '00s', models: ['session.v1'] } }]);
  });

  it('tries again with growing delays, says so, and gives up at its bound', () => {
    let { state } = beginFollowing();
    const delays: number[] = [];
    for (let retry = 0; retry < OPTIONS.maxAttempts; retry += 1) {
      const failed = followStep(state, { type: 'connectFailed', error: null }, OPTIONS);
      for (const item of delivered(failed)) if (item.type === 'retrying') delays.push(item.delayMs);
      state = followStep(failed.state, { type: 'timer' }, OPTIONS).state;
    }
    expect(delays).toEqual(RETRY_DELAYS_MS.slice(0, 3));
    const last = followStep(state, { type: 'timer' }, OPTIONS);
    expect(last.state.status).toBe('stopped');
    expect(delivered(last)).toMatchObject([{ type: 'failed', error: { code: 'sync.unreachable' } }]);
  });

  it('ends when the server refuses it for good, and tries again when the server only could not', () => {
    const { state } = beginFollowing();
    const refuse = (code: string) =>
      followStep(state, { type: 'connectFailed', error: { code, message: 'm', details: {} } }, OPTIONS).state.status;
    expect(refuse('auth.token-invalid')).toBe('stopped');
    expect(refuse('log.unavailable')).toBe('waiting');
  });
});

describe('subscribing', () => {
  it('holds what comes before the answer and delivers it after', () => {
    const before = run(connected(beginFollowing()).state, [events(1, 2), events(2, 3)]);
    expect(before.items).toEqual([]);
    const answered = run(before.state, [{ type: 'acknowledged', head: id(3), epoch: 'e1' }]);
    expect(idsOf(answered.items)).toEqual([id(1), id(2), id(3)]);
    expect(answered.items.at(-1)).toEqual({ type: 'caughtUp', head: id(3) });
  });

  it('passes over held messages of the subscription before that do not fit', () => {
    const { state } = run(followStep(LIVE, { type: 'lagging' }, OPTIONS).state, [events(9, 9), events(3, 4)]);
    const answered = run(state, [{ type: 'acknowledged', head: id(9), epoch: 'e1' }]);
    expect(answered.state).toMatchObject({ status: 'live', position: { last: id(4) } });
    expect(idsOf(answered.items)).toEqual([id(3), id(4)]);
  });

  it('holds a bounded number of messages', () => {
    const many = Array.from({ length: MAX_HELD_MESSAGES + 1 }, () => events(1, 1));
    const { state } = run(connected(beginFollowing()).state, many);
    expect(state.status === 'subscribing' && state.held).toHaveLength(MAX_HELD_MESSAGES);
  });

  it('drops what it delivered and starts again when the log is another', () => {
    const { state } = followStep(LIVE, { type: 'lagging' }, OPTIONS);
    for (const input of [
      { type: 'acknowledged', head: id(1), epoch: 'e2' },
      { type: 'refused', error: { code: 'event.unknown', message: 'm', details: {} } },
    ] satisfies FollowInput[]) {
      const step = followStep(state, input, OPTIONS);
      expect(delivered(step)).toEqual([{ type: 'dropped' }]);
      expect(effectsOf(step, 'subscribe')).toMatchObject([{ request: { after: '0' } }]);
    }
  });

  it('ends when refused for good and retries what may pass', () => {
    const { state } = connected(beginFollowing());
    const refuse = (code: string) => followStep(state, { type: 'refused', error: { code, message: 'm', details: {} } }, OPTIONS);
    expect(delivered(refuse('session.not-found'))).toMatchObject([{ type: 'failed', error: { code: 'session.not-found' } }]);
    expect(refuse('log.unavailable').state).toMatchObject({ status: 'waiting', attempt: 1 });
  });

  it('says that it recovered only after it had to retry', () => {
    const first = run(connected(beginFollowing()).state, [{ type: 'acknowledged', head: '0', epoch: 'e1' }]);
    expect(first.items).toEqual([{ type: 'caughtUp', head: '0' }]);
    const again = run(first.state, [
      { type: 'disconnected' },
      { type: 'timer' },
      { type: 'connected' },
      { type: 'acknowledged', head: '0', epoch: 'e1' },
    ]);
    expect(again.items.map((item) => item.type)).toEqual(['retrying', 'recovered', 'caughtUp']);
  });

  it('connects anew when nobody answers', () => {
    const step = connected(beginFollowing());
    expect(step.effects).toContainEqual({ type: 'timer', delayMs: ANSWER_TIMEOUT_MS });
    expect(followStep(step.state, { type: 'timer' }, OPTIONS).state.status).toBe('waiting');
  });
});

describe('live', () => {
  it('ignores repeats and subscribes again at a gap, with what it has', () => {
    expect(run(LIVE, [events(1, 2)]).items).toEqual([]);
    const gap = followStep(LIVE, { type: 'events', events: [event(3), event(5)] }, OPTIONS);
    expect(idsOf(delivered(gap))).toEqual([id(3)]);
    expect(effectsOf(gap, 'subscribe')).toMatchObject([{ request: { after: id(3) } }]);
  });

  it('gives a head that is ahead its time, then subscribes again', () => {
    const behind = followStep(LIVE, { type: 'head', head: id(4) }, OPTIONS);
    expect(behind.effects).toEqual([{ type: 'timer', delayMs: BEHIND_MS }]);
    const progress = followStep(behind.state, events(3, 3), OPTIONS);
    expect(progress).toMatchObject({ state: { status: 'behind' } });
    expect(progress.effects).toContainEqual({ type: 'timer', delayMs: BEHIND_MS });
    expect(followStep(progress.state, events(4, 4), OPTIONS).state.status).toBe('live');
    expect(effectsOf(followStep(progress.state, { type: 'timer' }, OPTIONS), 'subscribe')).toMatchObject([{ request: { after: id(3) } }]);
  });

  it('does not take repeats for progress', () => {
    const behind = followStep(LIVE, { type: 'head', head: id(4) }, OPTIONS).state;
    expect(followStep(behind, events(1, 2), OPTIONS)).toEqual({ state: behind, effects: [] });
  });

  it('asks again when it is ahead of the head or hears nothing', () => {
    expect(followStep(LIVE, { type: 'head', head: id(1) }, OPTIONS).state.status).toBe('subscribing');
    expect(followStep(LIVE, { type: 'head', head: id(2) }, OPTIONS).effects).toEqual([{ type: 'timer', delayMs: SILENCE_MS }]);
    expect(followStep(LIVE, { type: 'timer' }, OPTIONS).state.status).toBe('subscribing');
  });

  it('takes a newer snapshot whole, and of an older one only the tail', () => {
    const options = { ...OPTIONS, models: ['session.v1'] };
    const snapshot = (upTo: number, tail: SessionEvent[]): SessionMessage => ({
      type: 'snapshot',
      snapshot: { sessionId: '00s', epoch: 'e1', model: 'session.v1', upTo: id(upTo), state: initialSessionState('00s'), tail },
    });
    const newer = followStep(LIVE, snapshot(7, [event(8)]), options);
    expect(delivered(newer).map((item) => item.type)).toEqual(['snapshot', 'event']);
    expect(newer.state.position.last).toBe(id(8));
    expect(idsOf(delivered(followStep(LIVE, snapshot(1, [event(2), event(3)]), options)))).toEqual([id(3)]);
    expect(followStep(LIVE, snapshot(7, []), OPTIONS)).toEqual({ state: LIVE, effects: [] });
    const expecting = { ...LIVE, goal: id(7) };
    expect(delivered(followStep(expecting, snapshot(7, []), options)).map((item) => item.type)).toEqual(['snapshot', 'caughtUp']);
    expect(delivered(followStep(expecting, snapshot(6, [event(7)]), options)).at(-1)).toEqual({ type: 'caughtUp', head: id(7) });
  });
});

describe('stop', () => {
  it('ends every state and nothing starts it again', () => {
    const stopped = followStep(LIVE, { type: 'stop' }, OPTIONS);
    expect(stopped.effects).toEqual([{ type: 'timer', delayMs: null }, { type: 'disconnect' }]);
    const after = run(stopped.state, [{ type: 'connected' }, { type: 'timer' }, events(3, 4), { type: 'stop' }]);
    expect(after).toMatchObject({ items: [], state: { status: 'stopped' } });
  });
});

function connected(step: FollowStep): FollowStep {
  return followStep(step.state, { type: 'connected' }, OPTIONS);
}

function run(from: FollowState, inputs: readonly FollowInput[]): { state: FollowState; items: Followed[] } {
  let state = from;
  const items: Followed[] = [];
  for (const input of inputs) {
    const step = followStep(state, input, OPTIONS);
    state = step.state;
    items.push(...delivered(step));
  }
  return { state, items };
}

function delivered(step: FollowStep): Followed[] {
  return step.effects.flatMap((effect) => (effect.type === 'deliver' ? [effect.item] : []));
}

function effectsOf(step: FollowStep, type: string): unknown[] {
  return step.effects.filter((effect) => effect.type === type);
}

function idsOf(items: readonly Followed[]): string[] {
  return items.flatMap((item) => (item.type === 'event' ? [item.event.id] : []));
}

function id(n: number): string {
  return String(n * 256);
}

function events(from: number, to: number): { type: 'events'; events: SessionEvent[] } {
  return { type: 'events', events: Array.from({ length: to - from + 1 }, (_, index) => event(from + index)) };
}

function event(n: number): SessionEvent {
  return {
    id: id(n),
    prev: n === 1 ? null : id(n - 1),
    sessionId: '00s',
    lane: 'agent',
    type: 'AssistantTextAppended',
    v: 1,
    at: '2026-11-23T10:00:00.000Z',
    actor: { kind: 'sandbox', id: '00s-1', name: 'sandbox' },
    data: {},
  };
}
