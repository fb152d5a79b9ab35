import type { SessionStatus } from '@bullpen/contracts';

import type { SessionRow } from '../platform/sessions-api.js';
import { age, count } from './format.js';
import { makeStyle } from './style.js';
import type { Paint, Style } from './style.js';
import { tableCells, tableLine } from './table.js';
import type { Column } from './table.js';
import { fit, neutralLine } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

const COLUMNS: readonly Column[] = [
  { heading: 'ID' },
  { heading: 'STATUS' },
  { heading: 'REPOSITORY', dropAt: 1 },
  { heading: 'TURNS', dropAt: 3 },
  { heading: 'FILES', dropAt: 4 },
  { heading: 'UPDATED', dropAt: 2 },
  { heading: 'TITLE' },
];
const MAX_REPOSITORY_COLUMNS = 30;

/** Newest first, as they come; the title takes what room is left, and a narrow terminal leaves columns out. */
export function sessionTable(rows: readonly SessionRow[], now: number, { color, width }: Terminal): string[] {
  const style = makeStyle(color);
  const [heading = [], ...lines] = tableCells(COLUMNS, rows.map((row) => cellsOf(row, now)), width);
  const body = rows.map((row, index) => {
    const [id = '', status = '', ...rest] = lines[index] ?? [];
    return tableLine([style.bold(id), statusPaint(row.status, style)(status), ...rest]);
  });
  return [style.dim(tableLine(heading)), ...body];
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
