import { Suspense, lazy, memo } from 'react';

import type { MarkdownProps } from './parsed-markdown.js';

const parser = import('./parsed-markdown.js');
/** Comes beside the page, not with it: until then text is shown as it was written. */
const ParsedMarkdown = lazy(async () => ({ default: (await parser).ParsedMarkdown }));

/** A block longer than this is shown as it was written: parsing it would hold up the page. While it grows, sooner. */
const MAX_PARSED_CHARS = 20_000;
const MAX_PARSED_OPEN_CHARS = 4_000;
/** A paragraph in which Markdown finds nothing needs no parser. */
const PLAIN = /^[^*_`~<>[\]#|\\!&@\n:]*\n*$/;
const PLAIN_START = /^(?!\s|[-+=]|\d+[.)])/;

/** One block of Markdown, rendered again only when its source is another. */
export const MarkdownBlock = memo(function MarkdownBlock({ source, isOpen }: MarkdownProps) {
  const asWritten = <p className="text-prose break-words whitespace-pre-wrap">{source.trimEnd()}</p>;
  if (source.length > (isOpen ? MAX_PARSED_OPEN_CHARS : MAX_PARSED_CHARS) || isPlain(source)) return asWritten;
  return (
    <Suspense fallback={asWritten}>
      <ParsedMarkdown source={source} isOpen={isOpen} />
    </Suspense>
  );
});

function isPlain(source: string): boolean {
  return PLAIN_START.test(source) && PLAIN.test(source) && !source.includes('www.');
}
