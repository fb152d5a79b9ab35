import { describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';

import { initialSessionView, reduceSessionView } from './session-view.js';

const NOW = 1_000;
const renamed = (id: string, prev: string | null, title: string): SessionEvent => ({
  id,
  prev,
  sessionId: 's',
  lane: 'core',
  type: 'SessionRenamed',
  v: 1,
  at: '2026-03-04T12:00:00Z',
  actor: { kind: 'user', id: 'u', name: 'Ada' },
  data: { title },
});

describe('reduceSessionView', () => {
  it('folds events, and is loaded once it has caught up', () => {
    const first = reduceSessionView(initialSessionView('s'), [{ type: 'event', event: renamed('256', null, 'One') }], NOW);
    expect(first).toMatchObject({ state: { title: 'One', head: '256' }, isLoaded: false, link: { status: 'connecting' } });
    const second = reduceSessionView(first, [{ type: 'caughtUp', head: '256' }], NOW);
    expect(second).toMatchObject({ isLoaded: true, link: { status: 'live' } });
    expect(second.state).toBe(first.state);
  });

  it('keeps what is shown while the line is down, and counts from the first failure', () => {
    const live = reduceSessionView(initialSessionView('s'), [{ type: 'event', event: renamed('256', null, 'One') }, { type: 'caughtUp', head: '256' }], NOW);
    const once = reduceSessionView(live, [{ type: 'retrying', attempt: 1, delayMs: 250 }], 2_000);
    const twice = reduceSessionView(once, [{ type: 'retrying', attempt: 2, delayMs: 500 }], 2_300);
    expect(twice).toMatchObject({ isLoaded: true, link: { status: 'retrying', attempt: 2, since: 2_000, nextAt: 2_800 } });
    expect(twice.state).toBe(live.state);
    expect(reduceSessionView(twice, [{ type: 'recovered' }], 3_000).link).toEqual({ status: 'live' });
  });

  it('drops everything when the log was replaced', () => {
    const shown = reduceSessionView(initialSessionView('s'), [{ type: 'event', event: renamed('256', null, 'One') }, { type: 'caughtUp', head: '256' }], NOW);
    expect(reduceSessionView(shown, [{ type: 'dropped' }], NOW)).toMatchObject({ state: { title: '', head: '0' }, isLoaded: false });
  });

  it('gives the same view when nothing arrived', () => {
    const view = initialSessionView('s');
    expect(reduceSessionView(view, [], NOW)).toBe(view);
  });
});
