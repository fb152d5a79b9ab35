import { Lexer } from 'marked';

export interface TextBlock {
  /** With the blank lines after it: all sources in a row are the text. */
  readonly source: string;
  readonly offset: number;
}

/** What comes later may still join the last blocks: a list goes on behind a blank line. */
const BLOCKS_THAT_MAY_GROW = 2;

export interface SplitText {
  readonly text: string;
  readonly blocks: readonly TextBlock[];
}

/**
 * The blocks of a Markdown text. Of the text as it was before, given as `previous`, blocks that cannot change any more are taken
 * over as they are, so that a stream costs what arrives and not what is there.
 */
export function splitText(raw: string, previous: SplitText | null = null): SplitText {
  const text = raw.includes('\r') ? raw.replaceAll(/\r\n?/g, '\n') : raw;
  const kept = previous !== null && text.startsWith(previous.text) ? previous.blocks.slice(0, -BLOCKS_THAT_MAY_GROW) : [];
  const last = kept.at(-1);
  const from = last === undefined ? 0 : last.offset + last.source.length;
  return { text, blocks: [...kept, ...lexBlocks(text.slice(from), from)] };
}

/** Sources are cut from the text itself: the lexer's own writes tabs differently, at the same length. */
function lexBlocks(text: string, from: number): TextBlock[] {
  const blocks: TextBlock[] = [];
  let at = 0;
  for (const token of new Lexer({ gfm: true }).blockTokens(text)) {
    const source = text.slice(at, at + token.raw.length);
    const last = blocks.at(-1);
    if (token.type === 'space' && last !== undefined) blocks[blocks.length - 1] = { ...last, source: last.source + source };
    else if (source !== '') blocks.push({ source, offset: from + at });
    at += token.raw.length;
  }
  return blocks;
}
