import type { RepositoryRow } from '../platform/repositories-api.js';
import { age } from './format.js';
import { makeStyle } from './style.js';
import { displayWidth, fit, neutralLine, padTo } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

const HEADINGS = ['ID', 'NAME', 'BRANCH', 'USED', 'SOURCE'];
const MAX_NAME_COLUMNS = 40;
const GAP = '  ';

/** As they come; the source takes what room is left. */
export function repositoryTable(rows: readonly RepositoryRow[], now: number, { color, width }: Terminal): string[] {
  const style = makeStyle(color);
  const cells = rows.map(({ id, name, defaultBranch, lastUsedAt, source }) => [
    neutralLine(id),
    fit(neutralLine(name), MAX_NAME_COLUMNS),
    fit(neutralLine(defaultBranch), MAX_NAME_COLUMNS),
    lastUsedAt === null ? 'never' : age(lastUsedAt, now),
    neutralLine(source),
  ]);
  const columns = HEADINGS.slice(0, -1).map((heading, index) => Math.max(...[heading, ...cells.map((row) => row[index] ?? '')].map(displayWidth)));
  const used = columns.reduce((sum, column) => sum + column + GAP.length, 0);
  const lines = [HEADINGS, ...cells].map((row) => {
    const last = fit(row.at(-1) ?? '', width === null ? null : Math.max(10, width - used));
    return [...row.slice(0, -1).map((cell, index) => padTo(cell, columns[index] ?? 0)), last].join(GAP).trimEnd();
  });
  return lines.map((line, index) => (index === 0 ? style.dim(line) : line));
}
