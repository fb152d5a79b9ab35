import { classNames } from '../lib/class-names.js';

export interface LineCountsProps {
  readonly insertions: number;
  readonly deletions: number;
  readonly isBinary?: boolean;
  readonly className?: string;
}

/** `+12 −3`, read aloud in words; what is none is left out. */
export function LineCounts({ insertions, deletions, isBinary = false, className }: LineCountsProps) {
  if (isBinary) return <span className={classNames('shrink-0 text-label text-muted', className)}>Binary</span>;
  if (insertions + deletions === 0) return null;
  return (
    <span className={classNames('inline-flex shrink-0 gap-1.5 text-label whitespace-nowrap', className)}>
      <span className="sr-only">{`${insertions} lines added, ${deletions} removed`}</span>
      <Count sign="+" count={insertions} colour="text-ok" />
      <Count sign="−" count={deletions} colour="text-error" />
    </span>
  );
}

function Count({ sign, count, colour }: { readonly sign: '+' | '−'; readonly count: number; readonly colour: string }) {
  if (count === 0) return null;
  return <span aria-hidden className={colour}>{`${sign}${count.toLocaleString()}`}</span>;
}
