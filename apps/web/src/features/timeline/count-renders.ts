declare global {
  interface Window {
    /** A test that wants to know how often each row was rendered puts an empty map here before the page loads. */
    bullpenRowRenders?: Map<string, number>;
  }
}

/** Finished rows must not be rendered again: a test counts. */
export function countRender(key: string): void {
  const counts = window.bullpenRowRenders;
  counts?.set(key, (counts.get(key) ?? 0) + 1);
}
