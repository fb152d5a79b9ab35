import type { RepositoryRow } from '../platform/repositories-api.js';
import { age } from './format.js';
import { makeStyle } from './style.js';
import { tableCells, tableLine } from './table.js';
import type { Column } from './table.js';
import { fit, neutralLine } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

const COLUMNS: readonly Column[] = [{ heading: 'ID', dropAt: 1 }, { heading: 'NAME' }, { heading: 'BRANCH', dropAt: 3 }, { heading: 'USED', dropAt: 2 }, { heading: 'SOURCE' }];
const MAX_NAME_COLUMNS = 40;

/** As they come; the source takes what room is left, and a narrow terminal leaves columns out. */
export function repositoryTable(rows: readonly RepositoryRow[], now: number, { color, width }: Terminal): string[] {
  const cells = rows.map(({ id, name, defaultBranch, lastUsedAt, source }) => [
    neutralLine(id),
    fit(neutralLine(name), MAX_NAME_COLUMNS),
    fit(neutralLine(defaultBranch), MAX_NAME_COLUMNS),
    lastUsedAt === null ? 'never' : age(lastUsedAt, now),
    neutralLine(source),
  ]);
  const [heading = '', ...lines] = tableCells(COLUMNS, cells, width).map(tableLine);
  return [makeStyle(color).dim(heading), ...lines];
}
