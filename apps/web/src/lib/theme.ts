export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** The same key as in public/theme.js, which runs before the first paint. */
const STORAGE_KEY = 'bullpen.theme';
const DARK = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

export function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(STORAGE_KEY);
    return THEMES.find((theme) => theme === kept) ?? 'system';
  } catch {
    return 'system';
  }
}

export function setTheme(theme: Theme): void {
  try {
    localStorage.setItem(STORAGE_KEY, theme);
  } catch {
    // It then lasts until the page is loaded again.
  }
  paint(theme);
}

/** For `useSyncExternalStore`: called when the shown colours change. */
export function subscribeTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The colours shown now. */
export function shownTheme(): 'light' | 'dark' {
  return document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light';
}

function paint(theme: Theme): void {
  const isDark = theme === 'dark' || (theme === 'system' && DARK.matches);
  document.documentElement.dataset['theme'] = isDark ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

DARK.addEventListener('change', () => paint(readTheme()));
