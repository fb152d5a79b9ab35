/**
 * Compares two event ids of one session: negative when `a` comes first, 0 when they are the same, positive otherwise. Ids are
 * canonical decimal strings, so the longer one is the larger one; no number type is wide enough to trust.
 */
export function compareEventIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
