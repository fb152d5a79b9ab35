import type { Row } from './rows.js';

const LINE_PX = 22;
const CHARS_PER_LINE = 90;
const HEIGHTS: Readonly<Record<Exclude<Row['kind'], 'text'>, number>> = {
  earlier: 56,
  prompt: 84,
  reasoning: 28,
  tools: 28,
  tool: 28,
  notice: 28,
  checkpoint: 49,
  running: 36,
};

/** About how high a row is, before it was ever rendered. */
export function estimateHeight(row: Row | undefined): number {
  if (row === undefined) return LINE_PX;
  if (row.kind !== 'text') return HEIGHTS[row.kind];
  const lines = row.source.trimEnd().split('\n');
  return 12 + LINE_PX * lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / CHARS_PER_LINE)), 0);
}
