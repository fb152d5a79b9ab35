import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { splitText } from './text-blocks.js';
import type { SplitText } from './text-blocks.js';

const PIECES = ['# One', '\n', '\n\n', '- a', '  b', '1. c', '```js', '```', '| a | b |\n|---|---|\n| 1 | 2 |', 'word ', '> q', '***', '<b>', '\t', '\r\n', '    code', '[x]: http://y', '**', '\\'];
const anyPieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 });

const sources = (split: SplitText): string[] => split.blocks.map((block) => block.source);

describe('splitText', () => {
  it('cuts at blocks, and keeps a fence whole', () => {
    expect(sources(splitText('# A\n\nb\n\n```\nc\n\nd\n```\n'))).toEqual(['# A\n\n', 'b\n\n', '```\nc\n\nd\n```\n']);
  });

  it('keeps every character', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        const { text, blocks } = splitText(pieces.join(''));
        expect(blocks.map((block) => block.source).join('')).toBe(text);
        for (const block of blocks) expect(text.startsWith(block.source, block.offset)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same blocks in a stream as at once', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        let split: SplitText | null = null;
        let text = '';
        for (const piece of pieces) {
          text += piece;
          split = splitText(text, split);
        }
        expect(sources(split ?? splitText(''))).toEqual(sources(splitText(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('takes over finished blocks as they are', () => {
    const before = splitText('One\n\nTwo\n\nThree\n\nFo');
    const after = splitText('One\n\nTwo\n\nThree\n\nFour', before);
    expect(after.blocks[0]).toBe(before.blocks[0]);
    expect(after.blocks[1]).toBe(before.blocks[1]);
    expect(after.blocks.at(-1)?.source).toBe('Four');
  });
});
