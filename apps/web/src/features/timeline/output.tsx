import { useMemo, useState } from 'react';

import type { ClippedText } from '@bullpen/contracts';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { plural } from '../../lib/format.js';
import { useExpanded } from './expansion.js';
import { useObjectText } from './get-object.js';
import { clampLines, isClipped, joinClipped, readOutput, shownText } from './output-text.js';
import { ScrollBox } from './scroll-box.js';
import { useTimeline } from './timeline-context.js';

/** More than this is kept from the page, and offered as a file. */
const MAX_SHOWN_CHARS = 400_000;

export interface OutputProps {
  /** Of the row; remembers what was opened. */
  readonly id: string;
  readonly output: ClippedText;
  /** Which lines are shown before somebody asks for all. */
  readonly keep: 'first' | 'last';
}

/** What a call gave back: a few lines, then all, then the rest that the log keeps apart. */
export function Output({ id, output, keep }: OutputProps) {
  const { sessionId } = useTimeline();
  const [isWhole, toggleWhole] = useExpanded(`output ${id}`);
  const [isWanted, setWanted] = useState(false);
  const rest = useObjectText(sessionId, output.sha256, isWanted && output.sha256 !== '');
  const whole = rest.data ?? joinClipped(output);
  const text = useMemo(() => shownText(whole.slice(0, MAX_SHOWN_CHARS)), [whole]);
  const clamped = useMemo(() => clampLines(text, keep), [text, keep]);
  if (text === '') return <p className="px-3 py-1.5 text-label text-muted">No output.</p>;
  return (
    <>
      <OutputText text={isWhole ? text : clamped.text} />
      <div className="flex flex-wrap items-center gap-x-1 text-label text-muted">
        {clamped.isClamped ? (
          <Button kind="quiet" className="h-7" aria-expanded={isWhole} onClick={toggleWhole}>
            {isWhole ? 'Show fewer lines' : `Show all ${plural(clamped.lines, 'line')}`}
          </Button>
        ) : null}
        {isClipped(output) && output.sha256 !== '' && rest.data === undefined ? (
          <Button kind="quiet" className="h-7" disabled={rest.isFetching} onClick={() => (isWanted ? void rest.refetch() : setWanted(true))}>
            {rest.isFetching ? 'Loading the rest' : `Load the rest (${Math.ceil(output.bytes / 1024).toLocaleString()} KB)`}
          </Button>
        ) : null}
        {whole.length > MAX_SHOWN_CHARS ? <SaveButton text={whole} /> : null}
        {rest.error === null ? null : <span role="alert" className="px-3 text-error">{`The rest did not come. ${explain(rest.error)}`}</span>}
      </div>
    </>
  );
}

function OutputText({ text }: { readonly text: string }) {
  const parts = useMemo(() => readOutput(text), [text]);
  return (
    <ScrollBox label="Output" className="max-h-[480px] overflow-auto px-3 py-2 text-code text-text">
      <pre>
      {parts.map((part, index) =>
        part.className === '' ? (
          part.text
        ) : (
          // The parts of a text have no names but their places.
          // oxlint-disable-next-line react/no-array-index-key
          <span key={index} className={part.className}>
            {part.text}
          </span>
        ),
      )}
      </pre>
    </ScrollBox>
  );
}

function SaveButton({ text }: { readonly text: string }) {
  const save = (): void => {
    const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
    const link = document.createElement('a');
    link.href = address;
    link.download = 'output.txt';
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <>
      <span className="px-3">Too long to show whole.</span>
      <Button kind="quiet" className="h-7" onClick={save}>
        Save as a file
      </Button>
    </>
  );
}
