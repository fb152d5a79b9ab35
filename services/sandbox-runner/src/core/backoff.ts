const FIRST_MS = 100;
const LONGEST_MS = 5_000;

/** How long to wait before the nth try (from 1); `random` in 0..1 spreads those that lost the same peer. */
export function backoffMs(attempt: number, random: number): number {
  const longest = Math.min(FIRST_MS * 2 ** (attempt - 1), LONGEST_MS);
  return Math.round(longest * (0.5 + random / 2));
}
