/** One key, or a chord with ⌘ (macOS) or Ctrl. `key` as in KeyboardEvent.key. */
export interface Shortcut {
  readonly key: string;
  readonly mod?: boolean;
  readonly shift?: boolean;
  /** Pressed before it, alone: `g` then `c`. */
  readonly after?: string;
  /** Where it works, as the help lists it. */
  readonly scope: 'Everywhere' | 'Composer' | 'Session' | 'Timeline' | 'Changes' | 'Sessions';
  /** What it does, for the help and screen readers. */
  readonly label: string;
}

export const IS_MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** `⌘K` or `Ctrl+K`. */
export function describeShortcut({ key, mod = false, shift = false, after }: Shortcut, isMac = IS_MAC): string {
  const name = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  const parts = [...(mod ? [isMac ? '⌘' : 'Ctrl'] : []), ...(shift ? [isMac ? '⇧' : 'Shift'] : []), mod || shift ? name : (NAMES[key] ?? key)];
  const chord = parts.join(isMac ? '' : '+');
  return after === undefined ? chord : `${after} ${chord}`;
}

const NAMES: Readonly<Record<string, string>> = { Enter: '↵', Escape: 'Esc', ArrowUp: '↑', ArrowDown: '↓', ' ': 'Space' };

/** Single keys do nothing while somebody types; chords always work. `before`: the first key of a pair that was begun. */
export function matchesShortcut(event: KeyboardEvent, shortcut: Shortcut, before: string | null): boolean {
  if ((shortcut.after ?? null) !== before) return false;
  const hasMod = IS_MAC ? event.metaKey : event.ctrlKey;
  if (event.isComposing || event.altKey || hasMod !== (shortcut.mod ?? false)) return false;
  if (event.key.toLowerCase() !== shortcut.key.toLowerCase()) return false;
  // `?` needs shift on most keyboards; only letters and named keys say so themselves.
  if (/^[a-z]$/i.test(shortcut.key) && event.shiftKey !== (shortcut.shift ?? false)) return false;
  return shortcut.mod === true || shortcut.key === 'Escape' || !keepsKeys(event.target);
}

/** Fields take letters as text; menus and dialogs stand above the page that the letters are meant for. */
export function keepsKeys(target: EventTarget | null): boolean {
  return isTyping(target) || (target as Partial<Element> | null)?.closest?.('[role="dialog"], [role="menu"], [role="listbox"]') != null;
}

export function isTyping(target: EventTarget | null): boolean {
  const { isContentEditable = false, tagName = '' } = (target ?? {}) as Partial<HTMLElement>;
  return isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(tagName);
}
