import type { JsonRecord } from '@bullpen/contracts';

import { kindOfTool, stringInput } from './tool-kind.js';
import type { ToolItem } from './rows.js';

/** A line of an edit. `gap`: something lies between. */
export interface ChangeLine {
  readonly kind: 'same' | 'add' | 'remove' | 'gap';
  readonly text: string;
}

/** Unchanged lines shown beside a change. */
const CONTEXT_LINES = 2;

/** What a call writes, from its input, as an agent gave it; null when it writes nothing, or not as text. */
export function changeOf({ name, input }: ToolItem): readonly ChangeLine[] | null {
  const kind = kindOfTool(name);
  if (kind === 'write') {
    const content = stringInput(input, 'content', 'contents', 'text');
    return content === null ? null : linesOf(content).map((text) => ({ kind: 'add', text }));
  }
  if (kind !== 'edit') return null;
  const changes = editsOf(input).flatMap(({ before, after }, index) => [...(index > 0 ? [GAP] : []), ...changedLines(before, after)]);
  return changes.length === 0 ? null : changes;
}

const GAP: ChangeLine = { kind: 'gap', text: '' };

export function countChange(lines: readonly ChangeLine[]): { readonly added: number; readonly removed: number } {
  return { added: lines.filter((line) => line.kind === 'add').length, removed: lines.filter((line) => line.kind === 'remove').length };
}

interface Edit {
  readonly before: string;
  readonly after: string;
}

function editsOf(input: JsonRecord): readonly Edit[] {
  const list = input['edits'];
  const edits = Array.isArray(list) ? list : [input];
  return edits.flatMap((edit) => {
    if (typeof edit !== 'object' || edit === null || Array.isArray(edit)) return [];
    const before = stringInput(edit, 'oldText', 'old_string', 'old_text');
    const after = stringInput(edit, 'newText', 'new_string', 'new_text');
    return before === null || after === null ? [] : [{ before, after }];
  });
}

/** The agent replaced one text by another: lines that both begin or end with are context, the rest is removed and added. */
export function changedLines(before: string, after: string): readonly ChangeLine[] {
  const old = linesOf(before);
  const fresh = linesOf(after);
  const head = commonStart(old, fresh);
  const tail = Math.min(commonStart(old.toReversed(), fresh.toReversed()), old.length - head, fresh.length - head);
  const same = (text: string): ChangeLine => ({ kind: 'same', text });
  return [
    ...old.slice(Math.max(0, head - CONTEXT_LINES), head).map(same),
    ...old.slice(head, old.length - tail).map((text): ChangeLine => ({ kind: 'remove', text })),
    ...fresh.slice(head, fresh.length - tail).map((text): ChangeLine => ({ kind: 'add', text })),
    ...old.slice(old.length - tail, old.length - tail + CONTEXT_LINES).map(same),
  ];
}

function commonStart(one: readonly string[], other: readonly string[]): number {
  const end = Math.min(one.length, other.length);
  let length = 0;
  while (length < end && one[length] === other[length]) length += 1;
  return length;
}

function linesOf(text: string): readonly string[] {
  if (text === '') return [];
  return text.replace(/\r?\n$/, '').split(/\r?\n/);
}
