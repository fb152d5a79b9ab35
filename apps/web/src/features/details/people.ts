import type { Author } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

/** Who wrote a prompt, the first one first; the same person once. */
export function authorsOf({ turns, queue }: Pick<SessionState, 'turns' | 'queue'>): readonly Author[] {
  const byIdentity = new Map<string, Author>();
  for (const { author } of [...turns, ...queue]) {
    const identity = author.email || author.name;
    if (!byIdentity.has(identity)) byIdentity.set(identity, author);
  }
  return [...byIdentity.values()];
}

/** Of the first and the last word: `Ada King Lovelace` is `AL`. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters.map((word) => [...(word ?? '')][0]?.toUpperCase() ?? '').join('') || '?';
}
