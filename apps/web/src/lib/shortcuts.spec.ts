import { describe, expect, it } from '@jest/globals';

import { describeShortcut, matchesShortcut } from './shortcuts.js';
import type { Shortcut } from './shortcuts.js';

const palette: Shortcut = { key: 'k', mod: true, scope: 'Everywhere', label: 'Find' };
const help: Shortcut = { key: '?', scope: 'Everywhere', label: 'Help' };
const changes: Shortcut = { key: 'd', after: 'g', scope: 'Session', label: 'Changes' };
const field = { tagName: 'TEXTAREA' };
const inDialog = { tagName: 'BUTTON', closest: () => ({}) };

const press = (key: string, more: object = {}): KeyboardEvent =>
  ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, isComposing: false, target: null, ...more }) as unknown as KeyboardEvent;

describe('matchesShortcut', () => {
  it('lets chords work anywhere, single keys only outside of fields and overlays', () => {
    expect(matchesShortcut(press('k', { ctrlKey: true, target: field }), palette, null)).toBe(true);
    expect(matchesShortcut(press('?', { shiftKey: true }), help, null)).toBe(true);
    expect(matchesShortcut(press('?', { target: field }), help, null)).toBe(false);
    expect(matchesShortcut(press('?', { target: inDialog }), help, null)).toBe(false);
  });

  it('takes the second key of a pair only after the first', () => {
    expect(matchesShortcut(press('d'), changes, 'g')).toBe(true);
    expect(matchesShortcut(press('d'), changes, null)).toBe(false);
    expect(matchesShortcut(press('?'), help, 'g')).toBe(false);
  });

  it('leaves keys with another modifier alone', () => {
    expect(matchesShortcut(press('k'), palette, null)).toBe(false);
    expect(matchesShortcut(press('k', { ctrlKey: true, shiftKey: true }), palette, null)).toBe(false);
    expect(matchesShortcut(press('k', { ctrlKey: true, isComposing: true }), palette, null)).toBe(false);
  });
});

describe('describeShortcut', () => {
  it('names chords and pairs as each system writes them', () => {
    expect(describeShortcut(palette, true)).toBe('⌘K');
    expect(describeShortcut(palette, false)).toBe('Ctrl+K');
    expect(describeShortcut(changes, false)).toBe('g d');
  });
});
