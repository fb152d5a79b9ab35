import { Button } from '../../components/button.js';
import { formatMoment, plural } from '../../lib/format.js';
import { useNow } from '../../lib/use-now.js';
import { CopyButton } from './copy-button.js';
import { useExpanded } from './expansion.js';
import { clampLines } from './output-text.js';
import type { PromptRow } from './rows.js';

const MAX_HEADING_CHARS = 80;
const DAY_MS = 86_400_000;

/** What somebody asked for: the heading of its turn, and where `j` and `k` stop. */
export function PromptView({ row: { key, turnId, prompt, author, at, attempt } }: { readonly row: PromptRow }) {
  const [isWhole, toggleWhole] = useExpanded(`prompt ${key}`);
  const now = useNow(DAY_MS, false);
  const clamped = clampLines(prompt, 'first');
  return (
    <div tabIndex={-1} data-turn={turnId} className="mt-4 mb-2 scroll-mt-2 rounded-md border border-border bg-raised px-3 py-2">
      <div className="flex items-center gap-2 text-label text-muted">
        <h2 className="min-w-0 truncate font-medium text-text">
          {author === '' ? 'You' : author}
          <span className="sr-only">: {headingOf(prompt)}</span>
        </h2>
        {attempt > 1 ? <span className="shrink-0">Attempt {attempt}</span> : null}
        <time dateTime={at} className="ml-auto shrink-0">
          {formatMoment(at, now)}
        </time>
        <CopyButton label="Copy the prompt" text={prompt} className="-my-1 -mr-1.5" />
      </div>
      <p className="text-prose font-medium break-words whitespace-pre-wrap">{isWhole ? prompt : clamped.text}</p>
      {clamped.isClamped ? (
        <Button kind="quiet" className="-ml-3 h-7 text-label" aria-expanded={isWhole} onClick={toggleWhole}>
          {isWhole ? 'Show fewer lines' : `Show all ${plural(clamped.lines, 'line')}`}
        </Button>
      ) : null}
    </div>
  );
}

/** The first line, short enough to be heard. */
export function headingOf(prompt: string): string {
  const line = prompt.trim().split('\n', 1)[0] ?? '';
  return line.length > MAX_HEADING_CHARS ? `${line.slice(0, MAX_HEADING_CHARS)}…` : line;
}
