import { Button } from '../../components/button.js';
import { classNames } from '../../lib/class-names.js';
import { plural } from '../../lib/format.js';
import type { ChangeLine } from './change-lines.js';
import { useExpanded } from './expansion.js';
import { CLAMPED_LINES } from './output-text.js';
import { ScrollBox } from './scroll-box.js';

/** Lines of one edit in the page at most; the Changes tab shows any number. */
const MAX_LINES = 1_000;

const LOOKS = {
  same: { sign: ' ', word: '', colour: 'text-muted' },
  add: { sign: '+', word: 'added: ', colour: 'bg-diff-add text-text' },
  remove: { sign: '−', word: 'removed: ', colour: 'bg-diff-remove text-text' },
  gap: { sign: '⋯', word: '', colour: 'text-faint' },
} as const;

/** What one call wrote, line by line. */
export function ChangeView({ id, lines }: { readonly id: string; readonly lines: readonly ChangeLine[] }) {
  const [isWhole, toggleWhole] = useExpanded(`change ${id}`);
  const isLong = lines.length > CLAMPED_LINES + 1;
  const shown = isLong ? lines.slice(0, isWhole ? MAX_LINES : CLAMPED_LINES) : lines;
  return (
    <>
      <ScrollBox label="Change" className="max-h-[480px] overflow-auto py-1 font-mono text-code">
        <div className="w-max min-w-full">
          {shown.map((line, index) => (
            // Lines have no names but their places.
            // oxlint-disable-next-line react/no-array-index-key
            <ChangeLineView key={index} {...line} />
          ))}
        </div>
      </ScrollBox>
      {isLong ? (
        <Button kind="quiet" className="h-7 text-label" aria-expanded={isWhole} onClick={toggleWhole}>
          {isWhole ? 'Show fewer lines' : `Show all ${plural(lines.length, 'line')}`}
        </Button>
      ) : null}
      {isWhole && lines.length > MAX_LINES ? <p className="px-3 pb-2 text-label text-muted">The first {MAX_LINES.toLocaleString()} lines. All of them are in Changes.</p> : null}
    </>
  );
}

function ChangeLineView({ kind, text }: ChangeLine) {
  const { sign, word, colour } = LOOKS[kind];
  return (
    <div className={classNames('px-3 whitespace-pre', colour)}>
      <span aria-hidden className="mr-2 inline-block w-2 select-none">
        {sign}
      </span>
      {word === '' ? null : <span className="sr-only">{word}</span>}
      {text}
    </div>
  );
}
