import type { JsonRecord, JsonValue } from '@bullpen/contracts';

import type { ToolItem } from './rows.js';

/** What a call does, whatever the agent calls it. */
export type ToolKind = 'read' | 'search' | 'edit' | 'write' | 'command' | 'other';

const KINDS: Readonly<Record<string, ToolKind>> = {
  read: 'read',
  grep: 'search',
  find: 'search',
  glob: 'search',
  ls: 'search',
  search: 'search',
  edit: 'edit',
  multiedit: 'edit',
  write: 'write',
  bash: 'command',
  shell: 'command',
};

export function kindOfTool(name: string): ToolKind {
  return KINDS[name.toLowerCase()] ?? 'other';
}

interface Verbs {
  readonly running: string;
  readonly done: string;
}

const VERBS: Readonly<Record<Exclude<ToolKind, 'other'>, Verbs>> = {
  read: { running: 'Reading', done: 'Read' },
  search: { running: 'Searching', done: 'Searched' },
  edit: { running: 'Editing', done: 'Edited' },
  write: { running: 'Writing', done: 'Wrote' },
  command: { running: 'Running', done: 'Ran' },
};

/** `Read`, `Editing`; of a tool that nobody here knows, its name. */
export function verbOf({ name, state }: ToolItem): string {
  const kind = kindOfTool(name);
  if (kind === 'other') return name;
  return state === 'running' ? VERBS[kind].running : VERBS[kind].done;
}

/** An argument that is a string, or what is left of a long one. */
export function stringInput(input: JsonRecord, ...names: readonly string[]): string | null {
  for (const name of names) {
    const value = input[name];
    if (typeof value === 'string') return value;
    const clipped = clippedText(value);
    if (clipped !== null) return clipped;
  }
  return null;
}

function clippedText(value: JsonValue | undefined): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { text, tail, sha256 } = value;
  if (typeof text !== 'string' || typeof tail !== 'string' || typeof sha256 !== 'string') return null;
  return `${text}\n…\n${tail}`;
}
