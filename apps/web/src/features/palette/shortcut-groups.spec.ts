import { describe, expect, it } from '@jest/globals';

import { describeShortcut } from '../../lib/shortcuts.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { groupByScope } from './shortcut-groups.js';

const help: Shortcut = { key: '?', scope: 'Everywhere', label: 'Help' };
const palette: Shortcut = { key: 'k', mod: true, scope: 'Everywhere', label: 'Find' };
const send: Shortcut = { key: 'Enter', mod: true, scope: 'Composer', label: 'Send' };

describe('groupByScope', () => {
  it('orders scopes and labels, leaves out the empty, and names a label once', () => {
    expect(groupByScope([send, help, palette, { ...help }])).toEqual([
      { scope: 'Everywhere', shortcuts: [palette, help] },
      { scope: 'Composer', shortcuts: [send] },
    ]);
  });
});

describe('describeShortcut', () => {
  it('speaks as the system does', () => {
    expect([describeShortcut(palette, true), describeShortcut(palette, false)]).toEqual(['⌘K', 'Ctrl+K']);
    expect([describeShortcut(send, true), describeShortcut(help, false)]).toEqual(['⌘↵', '?']);
    expect(describeShortcut({ ...palette, shift: true }, false)).toBe('Ctrl+Shift+K');
  });
});
