/** One key, or a chord with ⌘ (macOS) or Ctrl. `key` as in KeyboardEvent.key. */
export interface Shortcut {
  readonly key: string;
  readonly mod?: boolean;
  readonly shift?: boolean;
  /** Where it works, as the help lists it. */
  readonly scope: 'Everywhere' | 'Composer' | 'Session' | 'Timeline' | 'Changes' | 'Sessions';
  /** What it does, for the help and screen readers. */
  readonly label: string;
}

export const IS_MAC = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.platform);

/** `⌘K` or `Ctrl+K`. */
export function describeShortcut({ key, mod = false, shift = false }: Shortcut, isMac = IS_MAC): string {
  const name = NAMES[key] ?? (key.length === 1 ? key.toUpperCase() : key);
  const parts = [...(mod ? [isMac ? '⌘' : 'Ctrl'] : []), ...(shift ? [isMac ? '⇧' : 'Shift'] : []), mod || shift ? name : (NAMES[key] ?? key)];
  return parts.join(isMac ? '' : '+');
}

const NAMES: Readonly<Record<string, string>> = { Enter: '↵', Escape: 'Esc', ArrowUp: '↑', ArrowDown: '↓', ' ': 'Space' };

/** Single keys do nothing while somebody types; chords always work. */
export function matchesShortcut(event: KeyboardEvent, shortcut: Shortcut): boolean {
  const hasMod = IS_MAC ? event.metaKey : event.ctrlKey;
  if (event.isComposing || event.altKey || hasMod !== (shortcut.mod ?? false)) return false;
  if (event.key.toLowerCase() !== shortcut.key.toLowerCase()) return false;
  // `?` needs shift on most keyboards; only letters and named keys say so themselves.
  if (/^[a-z]$/i.test(shortcut.key) && event.shiftKey !== (shortcut.shift ?? false)) return false;
  return shortcut.mod === true || shortcut.key === 'Escape' || !isTyping(event.target);
}

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
