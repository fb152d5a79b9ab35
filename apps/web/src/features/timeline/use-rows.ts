import { useMemo, useState } from 'react';

import { projectRows } from './project-rows.js';
import type { ProjectedRows, TimelineSource } from './project-rows.js';
import type { Row } from './rows.js';

export interface TimelineRows extends ProjectedRows {
  /** The same function for as long as the keys are the same: another one makes the list measure everything anew. */
  readonly keyOf: (index: number) => string;
}

/** The rows, made from those of the render before. */
export function useRows(source: TimelineSource): TimelineRows {
  const [project] = useState(createProjector);
  return useMemo(() => project(source), [project, source]);
}

function createProjector(): (source: TimelineSource) => TimelineRows {
  let last: TimelineRows | null = null;
  return (source) => {
    const projected = projectRows(source, last);
    if (last === null || projected.rows !== last.rows) {
      const keyOf = last !== null && hasSameKeys(last.rows, projected.rows) ? last.keyOf : keysOf(projected.rows);
      last = { ...projected, keyOf };
    }
    return last;
  };
}

function keysOf(rows: readonly Row[]): (index: number) => string {
  return (index) => rows[index]?.key ?? String(index);
}

function hasSameKeys(before: readonly Row[], rows: readonly Row[]): boolean {
  return before.length === rows.length && before.every((row, index) => row === rows[index] || row.key === rows[index]?.key);
}
