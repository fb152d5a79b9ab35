import { displayWidth, fit, padTo } from './terminal-text.js';

export interface Column {
  readonly heading: string;
  /** Left out when the terminal is too narrow, the highest first; without it the column always stays. */
  readonly dropAt?: number;
}

const GAP = '  ';
/** What the last column keeps before another one is left out. */
const MIN_LAST_COLUMNS = 10;

/** Cells of each line, headings first, padded to their columns; the last column takes what room is left. `width` null: any. */
export function tableCells(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | null): string[][] {
  const kept = keptColumns(columns, rows, width);
  const lines = [columns.map(({ heading }) => heading), ...rows].map((line) => kept.map((index) => line[index] ?? ''));
  const widths = kept.map((_, at) => Math.max(...lines.map((line) => displayWidth(line[at] ?? ''))));
  const used = widths.slice(0, -1).reduce((sum, each) => sum + each + GAP.length, 0);
  const room = width === null ? null : Math.max(MIN_LAST_COLUMNS, width - used);
  return lines.map((line) => line.map((cell, at) => (at === line.length - 1 ? fit(cell, room) : padTo(cell, widths[at] ?? 0))));
}

export function tableLine(cells: readonly string[]): string {
  return cells.join(GAP).trimEnd();
}

/** Indexes of those that fit. */
function keptColumns(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | null): number[] {
  const all = columns.map((_, index) => index);
  if (width === null) return all;
  const widthOf = (index: number): number => Math.max(...[columns[index]?.heading ?? '', ...rows.map((row) => row[index] ?? '')].map(displayWidth));
  const needed = (kept: readonly number[]): number => kept.slice(0, -1).reduce((sum, index) => sum + widthOf(index) + GAP.length, MIN_LAST_COLUMNS);
  const droppable = all.filter((index) => columns[index]?.dropAt !== undefined).toSorted((a, b) => (columns[b]?.dropAt ?? 0) - (columns[a]?.dropAt ?? 0));
  let kept = all;
  for (const index of droppable) if (needed(kept) > width) kept = kept.filter((each) => each !== index);
  return kept;
}
