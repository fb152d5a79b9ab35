import type { EventOf } from '@bullpen/contracts';

/** Of a line in a list. */
const MAX_WHY_CHARS = 140;
/** Of what is kept to make the line: Markdown and line breaks are taken out of it. */
const MAX_KEPT_CHARS = 200;

/** The last thing that a person who looks at the list should know. */
export type Notable =
  | { readonly kind: 'said'; readonly partId: string; readonly text: string }
  | { readonly kind: 'doing' | 'failed' | 'cancelled' | 'no-sandbox'; readonly text: string };

type Saying = EventOf<'AssistantTextAppended'>['data'];

/** The beginning of a text, as far as a line needs it: afterwards the answer is `before` itself. */
export function noteText(before: Notable | null, { partId, offset, text }: Saying): Notable | null {
  if (offset === 0) return { kind: 'said', partId, text: kept(text) };
  if (before?.kind !== 'said' || before.partId !== partId || before.text.length !== offset || offset >= MAX_KEPT_CHARS) return before;
  return { ...before, text: kept(before.text + text) };
}

export function note(kind: Exclude<Notable['kind'], 'said'>, text: string): Notable {
  return { kind, text: kept(text) };
}

export interface Standing {
  readonly notable: Notable | null;
  readonly running: { readonly agentHasIt: boolean } | null;
  readonly turns: number;
  readonly queuedPrompts: readonly string[];
}

/** One line, of at most 140 characters; never empty. */
export function whyOf({ notable, running, turns, queuedPrompts }: Standing): string {
  const line = oneLine(notable?.text ?? '');
  if (running && !running.agentHasIt) return notable?.kind === 'no-sandbox' ? clipped(`No sandbox yet: ${line}`) : 'Waiting for a sandbox';
  if (notable?.kind === 'failed') return clipped(`Failed: ${line}`);
  if (notable?.kind === 'cancelled') return 'Stopped';
  if (line !== '') return clipped(line);
  if (running) return 'Thinking';
  return turns === 0 && queuedPrompts.length === 0 ? 'No prompt yet' : 'Done';
}

/** Lines that are added and taken away by the files that differ. */
export function linesOf(files: EventOf<'FilesChanged'>['data']['files']): { readonly additions: number; readonly deletions: number } {
  return {
    additions: files.reduce((sum, { insertions }) => sum + insertions, 0),
    deletions: files.reduce((sum, { deletions }) => sum + deletions, 0),
  };
}

/** Tolerant: the wire form of a message may lack any message in it. */
export function reasonText(reason: { readonly message?: string } | undefined, otherwise: string): string {
  return reason?.message || otherwise;
}

/** Postgres takes no half of a surrogate pair, which may also be what the cut leaves. */
function kept(text: string): string {
  return text.slice(0, MAX_KEPT_CHARS).replaceAll(/\p{Surrogate}/gu, '');
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[`*#>]+/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function clipped(line: string): string {
  const characters = Array.from(line);
  return characters.length <= MAX_WHY_CHARS ? line : `${characters.slice(0, MAX_WHY_CHARS - 1).join('').trimEnd()}…`;
}
