import { useVirtualizer } from '@tanstack/react-virtual';
import type { VirtualItem } from '@tanstack/react-virtual';
import { ArrowDown } from 'lucide-react';
import { useCallback, useRef } from 'react';
import type { ReactNode } from 'react';

import { Button } from '../../components/button.js';
import { EarlierView } from './earlier-row.js';
import type { EarlierProps } from './earlier-row.js';
import { headingOf } from './prompt-row.js';
import type { ProjectedRows } from './project-rows.js';
import { estimateHeight } from './row-height.js';
import { RowView } from './row-view.js';
import type { Row } from './rows.js';
import { ScrollBox } from './scroll-box.js';
import { useFollow } from './use-follow.js';
import type { TimelineRows } from './use-rows.js';
import { useScrollMemory } from './use-scroll-memory.js';
import { useTurnKeys } from './use-turn-keys.js';

/** Rows kept rendered beyond each edge. */
const OVERSCAN = 8;
const PADDING_PX = 16;

export interface TimelineListProps {
  readonly sessionId: string;
  readonly isShown: boolean;
  readonly projected: TimelineRows;
  /** Grows only by what is new. */
  readonly itemCount: number;
  readonly earlier: Omit<EarlierProps, 'omitted'>;
}

/** Renders what is seen of the rows. The end holds still while the list grows above it, and what is read while it grows below. */
export function TimelineList({ sessionId, isShown, projected, itemCount, earlier }: TimelineListProps) {
  const { rows } = projected;
  const scroller = useRef<HTMLDivElement>(null);
  // It holds state of its own; what is memoised here depends on the instance, which stays.
  // oxlint-disable-next-line react/incompatible-library
  const list = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimateHeight(rows[index]),
    getItemKey: projected.keyOf,
    anchorTo: 'end',
    overscan: OVERSCAN,
    paddingStart: PADDING_PX,
    paddingEnd: PADDING_PX,
  });
  const scrollToEnd = useCallback(() => list.scrollToEnd(), [list]);
  const { unseen, toEnd, stop } = useFollow({ scroller, content: rows, itemCount, scrollToEnd });
  const firstShown = useCallback(() => list.getVirtualItemForOffset(list.scrollOffset ?? 0)?.index ?? 0, [list]);
  const show = useCallback(
    (index: number) => {
      stop();
      list.scrollToIndex(index, { align: 'start' });
    },
    [list, stop],
  );
  useTurnKeys({ scroller, rows, isOn: isShown, firstShown, show, toEnd });
  useScrollMemory({ sessionId, list, rows, isFollowing: unseen === null, onRestore: stop });
  const items = list.getVirtualItems();
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <ScrollBox ref={scroller} label="Timeline" className="min-h-0 flex-1 overflow-x-hidden overflow-y-auto [overflow-anchor:none]">
        <div role="feed" aria-label="Turns" aria-busy={earlier.isLoading} className="relative w-full" style={{ height: list.getTotalSize() }}>
          <div className="absolute inset-x-0 top-0" style={{ transform: `translateY(${items[0]?.start ?? 0}px)` }}>
            <Turns items={items} projected={projected} measure={list.measureElement} earlier={earlier} />
          </div>
        </div>
      </ScrollBox>
      {unseen === null ? null : <ToEndButton unseen={unseen} onClick={toEnd} />}
    </div>
  );
}

interface TurnsProps {
  readonly items: readonly VirtualItem[];
  readonly projected: ProjectedRows;
  readonly measure: (element: Element | null) => void;
  readonly earlier: Omit<EarlierProps, 'omitted'>;
}

/** Rows of one turn stand in one article. */
function Turns({ items, projected: { rows, source, turns }, measure, earlier }: TurnsProps) {
  const places = new Map(source.turns.map((turn, index) => [turn.turnId, index + 1]));
  return splitByTurn(items, rows).map(({ turnId, shown }) => (
    <article
      key={turnId}
      aria-label={turnId === '' ? 'Earlier' : headingOf(turns.get(turnId)?.turn.prompt ?? '')}
      aria-posinset={places.get(turnId) ?? 1}
      aria-setsize={source.rowsOmitted > 0 ? -1 : source.turns.length}
    >
      {shown.map(({ index, row }) => (
        <MeasuredRow key={row.key} index={index} measure={measure}>
          {row.kind === 'earlier' ? <EarlierView {...earlier} omitted={row.omitted} /> : <RowView row={row} />}
        </MeasuredRow>
      ))}
    </article>
  ));
}

/** Its height is that of its content, margins too. */
function MeasuredRow({ index, measure, children }: { readonly index: number; readonly measure: TurnsProps['measure']; readonly children: ReactNode }) {
  return (
    <div ref={measure} data-index={index} className="mx-auto flow-root w-full max-w-[792px] px-4">
      {children}
    </div>
  );
}

interface TurnPart {
  readonly turnId: string;
  readonly shown: { readonly index: number; readonly row: Row }[];
}

function splitByTurn(items: readonly VirtualItem[], rows: readonly Row[]): readonly TurnPart[] {
  const parts: TurnPart[] = [];
  for (const { index } of items) {
    const row = rows[index];
    if (row === undefined) continue;
    const last = parts.at(-1);
    if (last?.turnId === row.turnId) last.shown.push({ index, row });
    else parts.push({ turnId: row.turnId, shown: [{ index, row }] });
  }
  return parts;
}

function ToEndButton({ unseen, onClick }: { readonly unseen: number; readonly onClick: () => void }) {
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-3 flex justify-center">
      <Button className="pointer-events-auto shadow-overlay" onClick={onClick}>
        <ArrowDown size={14} aria-hidden />
        {unseen === 0 ? 'To the end' : `${unseen.toLocaleString()} new`}
      </Button>
    </div>
  );
}
