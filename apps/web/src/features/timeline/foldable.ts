import type { Row, ToolItem } from './rows.js';
import { kindOfTool } from './tool-kind.js';

/** What changes files, or runs, shows itself; what only looks is one line. */
export function isOpenAtFirst({ name }: ToolItem): boolean {
  const kind = kindOfTool(name);
  return kind === 'edit' || kind === 'write' || kind === 'command';
}

/** Keys of what in these rows can be opened, with how each stands before anybody chose. */
export function foldablesOf(rows: readonly Row[], turnId: string): readonly { readonly key: string; readonly isOpenAtFirst: boolean }[] {
  return rows
    .filter((row) => row.turnId === turnId)
    .flatMap((row) => {
      if (row.kind === 'tool') return row.tool.state === 'failed' ? [] : [{ key: row.key, isOpenAtFirst: isOpenAtFirst(row.tool) }];
      return row.kind === 'tools' || row.kind === 'reasoning' ? [{ key: row.key, isOpenAtFirst: false }] : [];
    });
}
