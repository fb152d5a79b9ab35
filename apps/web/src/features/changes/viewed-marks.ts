/** Marks of all sessions, oldest first; older ones are forgotten. */
const MAX_MARKS = 2_000;

/** A file as it was looked at; another content of it is another mark. */
export interface ViewedMark {
  readonly sessionId: string;
  readonly path: string;
  readonly contentId: string;
}

/** One string a mark: no part of it can hold a NUL. */
export function markKey({ sessionId, path, contentId }: ViewedMark): string {
  return [sessionId, path, contentId].join('\0');
}

/** With the mark if it was not there, else without. */
export function toggleMark(marks: readonly string[], mark: ViewedMark): readonly string[] {
  const key = markKey(mark);
  return marks.includes(key) ? marks.filter((other) => other !== key) : [...marks, key].slice(-MAX_MARKS);
}

/** What was kept; nothing of what cannot be read. */
export function parseMarks(text: string | null): readonly string[] {
  try {
    const kept: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(kept) ? kept.filter((mark) => typeof mark === 'string') : [];
  } catch {
    return [];
  }
}
