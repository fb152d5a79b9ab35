import type { SessionStatus } from '@bullpen/contracts';

import type { SessionRow } from '../platform/sessions-api.js';
import { age, count } from './format.js';
import { makeStyle } from './style.js';
import type { Paint, Style } from './style.js';
import { displayWidth, fit, neutralLine, padTo } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

const HEADINGS = ['ID', 'STATUS', 'REPOSITORY', 'TURNS', 'FILES', 'UPDATED', 'TITLE'];
const MAX_REPOSITORY_COLUMNS = 30;
const GAP = '  ';

/** Newest first, as they come; the title takes what room is left. */
export function sessionTable(rows: readonly SessionRow[], now: number, { color, width }: Terminal): string[] {
  const style = makeStyle(color);
  const cells = rows.map((row) => cellsOf(row, now));
  const columns = HEADINGS.slice(0, -1).map((heading, index) => Math.max(...[heading, ...cells.map((row) => row[index] ?? '')].map(displayWidth)));
  const used = columns.reduce((sum, column) => sum + column + GAP.length, 0);
  const toLine = (row: readonly string[]): string[] => row.map((cell, index) => padTo(cell, columns[index] ?? 0));
  const fitted = (line: readonly string[]): string[] => [...line.slice(0, -1), fit(line.at(-1) ?? '', width === null ? null : Math.max(10, width - used))];
  const heading = style.dim(toLine(HEADINGS).join(GAP));
  const lines = rows.map((row, index) => {
    const [id = '', status = '', ...rest] = fitted(toLine(cells[index] ?? []));
    return [style.bold(id), statusPaint(row.status, style)(status), ...rest].join(GAP).trimEnd();
  });
  return [heading, ...lines];
}

function cellsOf(row: SessionRow, now: number): string[] {
  const { id, status, repository, turns, filesChanged, updatedAt, title } = row;
  const name = fit(neutralLine(repository.name), MAX_REPOSITORY_COLUMNS);
  return [neutralLine(id), status, name, count(turns), count(filesChanged), age(updatedAt, now), neutralLine(title)];
}

function statusPaint(status: SessionStatus, style: Style): Paint {
  switch (status) {
    case 'running':
      return style.green;
    case 'queued':
      return style.cyan;
    case 'failed':
      return style.red;
    case 'idle':
    case 'archived':
      return style.dim;
  }
}
