/** The words of a text in lower case; an apostrophe inside a word belongs to it. */
export function words(text) {
  return text.toLowerCase().match(/\p{L}+(?:'\p{L}+)*/gu) ?? [];
}

/** The first of the longest words, null for a text without words. */
export function longestWord(text) {
  return words(text).reduce((longest, word) => (word.length > (longest?.length ?? 0) ? word : longest), null);
}

/** The `limit` most frequent words with their counts; equal counts in the order of the alphabet. */
export function topWords(text, limit) {
  const counts = new Map();
  for (const word of words(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].sort(([a, inA], [b, inB]) => inB - inA || a.localeCompare(b)).slice(0, limit);
}
