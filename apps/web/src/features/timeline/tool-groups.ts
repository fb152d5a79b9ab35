import type { TurnItem } from '@bullpen/session-model';

import { formatDuration, plural } from '../../lib/format.js';
import { kindOfTool } from './tool-kind.js';
import type { ToolItem } from './rows.js';

/** So many looks (reads, searches) in a row are one line. */
const MIN_LOOKS = 2;
/** So many finished calls of one other tool in a row are one line. */
const MIN_SAME = 3;
/** What one line holds at most, so that opening it stays small. */
export const MAX_GROUPED = 50;

/** Items `from` up to, without, `to`, which stand or fall together as one line. */
export interface Run {
  readonly from: number;
  readonly to: number;
  readonly isGrouped: boolean;
}

/** The run that begins at `from`. Runs follow each other without gap, and none crosses an item of another kind. */
export function runFrom(items: readonly TurnItem[], from: number): Run {
  const family = familyOf(items[from]);
  let to = from + 1;
  if (family === null) return { from, to, isGrouped: false };
  while (to < items.length && to - from < MAX_GROUPED && familyOf(items[to]) === family) to += 1;
  return { from, to, isGrouped: to - from >= (family === 'look' ? MIN_LOOKS : MIN_SAME) };
}

/** Failures are never folded, edits show their diff, and a command shows itself while it runs: these stand alone. */
function familyOf(item: TurnItem | undefined): string | null {
  if (item?.kind !== 'tool' || item.state === 'failed') return null;
  const kind = kindOfTool(item.name);
  switch (kind) {
    case 'read':
    case 'search':
      return 'look';
    case 'edit':
    case 'write':
      return null;
    case 'command':
    case 'other':
      return item.state === 'running' ? null : `same ${item.name}`;
  }
}

/** `Read 6 files · Searched 3 · 14s`. */
export function describeTools(tools: readonly ToolItem[]): string {
  const counts = new Map<string, number>();
  for (const tool of tools) {
    const name = kindOfTool(tool.name) === 'other' ? tool.name : kindOfTool(tool.name);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const parts = [...counts].map(([name, count]) => describeCount(name, count));
  const took = tools.reduce((sum, tool) => sum + (tool.durationMs ?? 0), 0);
  return [...parts, ...(took > 0 ? [formatDuration(took)] : [])].join(' · ');
}

function describeCount(name: string, count: number): string {
  if (name === 'read') return `Read ${plural(count, 'file')}`;
  if (name === 'search') return `Searched ${count}`;
  if (name === 'command') return `Ran ${plural(count, 'command')}`;
  return `${name} ${plural(count, 'time')}`;
}
