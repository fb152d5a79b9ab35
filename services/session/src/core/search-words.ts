/** Of one text; of all texts of one session. More would not make it easier to find. */
const MAX_WORDS_PER_TEXT = 2_000;
const MAX_CHARS = 48 * 1024;
const MAX_WORD_CHARS = 64;
const WORD = /[\p{L}\p{N}]+/gu;

/** The words of a text as they are searched for: lower-case letters and digits, each once, in order. Any language. */
export function searchWords(text: string): readonly string[] {
  const words = new Set<string>();
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    words.add(Array.from(word).slice(0, MAX_WORD_CHARS).join(''));
    if (words.size === MAX_WORDS_PER_TEXT) break;
  }
  return [...words];
}

/** Words joined by spaces, each once; the first ones stay when there are too many. */
export function addWords(known: string, more: readonly string[]): string {
  const words = new Set(splitWords(known));
  let chars = known.length;
  for (const word of more) {
    if (words.has(word) || chars + word.length + 1 > MAX_CHARS) continue;
    words.add(word);
    chars += word.length + 1;
  }
  return [...words].join(' ');
}

export function splitWords(joined: string): readonly string[] {
  return joined === '' ? [] : joined.split(' ');
}
