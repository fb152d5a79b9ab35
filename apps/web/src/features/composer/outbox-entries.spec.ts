import { describe, expect, it } from '@jest/globals';

import { initialSessionState } from '@bullpen/session-model';
import type { QueuedPrompt, SessionState, Turn } from '@bullpen/session-model';

import { knownPrompts, nextToSend, reduceOutbox, seenKeys, unseenEntries } from './outbox-entries.js';
import type { EntryState, OutboxEntry } from './outbox-entries.js';

const WAITING: EntryState = { is: 'waiting', error: null };
const SENDING: EntryState = { is: 'sending' };
const accepted = (promptId: string, head: string): EntryState => ({ is: 'accepted', promptId, position: 1, head });
const failed: EntryState = { is: 'failed', error: { code: 'queue.full', message: 'Too many wait.' } };

const entry = (key: string, text: string, state: EntryState, known: readonly string[] = []): OutboxEntry => ({ key, sessionId: 's', text, known, state });
const keys = (entries: readonly OutboxEntry[]): string[] => entries.map(({ key }) => key);

function session(head: string, turns: readonly [id: string, text: string][], queue: readonly [id: string, text: string][] = []): SessionState {
  return {
    ...initialSessionState('s'),
    head,
    turns: turns.map(([promptId, prompt]) => ({ promptId, prompt }) as Turn),
    queue: queue.map(([promptId, text]) => ({ promptId, text }) as QueuedPrompt),
  };
}

describe('reduceOutbox', () => {
  it('takes over what is stored, in the order of writing, and keeps what only this page knows', () => {
    const here = [entry('a', 'one', accepted('p1', '9')), entry('b', 'two', SENDING)];
    const stored = [entry('b', 'two', WAITING), entry('c', 'three', WAITING)];
    const merged = reduceOutbox(here, { type: 'stored', entries: stored });
    expect(merged.map(({ key, state }) => `${key} ${state.is}`)).toEqual(['a accepted', 'b sending', 'c waiting']);
  });

  it('drops what another tab sent or discarded', () => {
    expect(reduceOutbox([entry('a', 'one', WAITING)], { type: 'stored', entries: [] })).toEqual([]);
  });

  it('gives the same list when nothing of it is gone', () => {
    const entries = [entry('a', 'one', WAITING)];
    expect(reduceOutbox(entries, { type: 'gone', keys: ['z'] })).toBe(entries);
  });
});

describe('nextToSend', () => {
  it('is the oldest that waits; what failed or was accepted is passed over', () => {
    const entries = [entry('a', 'one', failed), entry('b', 'two', accepted('p', '9')), entry('c', 'three', WAITING), entry('d', 'four', WAITING)];
    expect(nextToSend(entries, 's')?.key).toBe('c');
    expect(nextToSend(entries, 'another')).toBeNull();
  });
});

describe('unseenEntries', () => {
  it('gives up an accepted entry once the session has come as far', () => {
    const entries = [entry('a', 'one', accepted('p1', '512'))];
    expect(keys(unseenEntries(entries, session('511', [])))).toEqual(['a']);
    expect(keys(unseenEntries(entries, session('512', [['p1', 'one']])))).toEqual([]);
    expect(seenKeys(entries, session('1024', []))).toEqual(['a']);
  });

  it('knows the prompt whose event came before its answer', () => {
    const before = session('256', [['p0', 'one']]);
    const entries = [entry('a', 'one', SENDING, knownPrompts(before))];
    expect(keys(unseenEntries(entries, before))).toEqual(['a']);
    expect(keys(unseenEntries(entries, session('512', [['p0', 'one'], ['p1', 'one']])))).toEqual([]);
    expect(keys(unseenEntries(entries, session('512', [['p0', 'one']], [['p1', 'one']])))).toEqual([]);
  });

  it('takes one prompt for one entry when two say the same', () => {
    const twice = [entry('a', 'again', SENDING), entry('b', 'again', WAITING)];
    expect(keys(unseenEntries(twice, session('512', [['p1', 'again']])))).toEqual(['b']);
    const first = reduceOutbox(twice, { type: 'changed', key: 'a', state: accepted('p1', '512') });
    const rest = reduceOutbox(first, { type: 'gone', keys: ['a'] });
    expect(keys(unseenEntries(rest, session('512', [['p1', 'again']])))).toEqual(['b']);
  });

  it('always shows what the platform refused', () => {
    expect(keys(unseenEntries([entry('a', 'one', failed)], session('512', [['p1', 'one']])))).toEqual(['a']);
  });
});
