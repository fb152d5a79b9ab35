/** The key that every request carries; kept by origin, so no other site and no dev server on another port can read it. */
const STORAGE_KEY = 'bullpen.key';

export function readKey(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null;
  }
}

export function keepKey(key: string): void {
  localStorage.setItem(STORAGE_KEY, key);
}

export function forgetKey(): void {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Storage is switched off: nothing was kept.
  }
}
