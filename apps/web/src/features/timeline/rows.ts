import type { Checkpoint, Turn, TurnItem, UsageTotals } from '@bullpen/session-model';

export type ToolItem = Extract<TurnItem, { kind: 'tool' }>;
export type NoticeLevel = Extract<TurnItem, { kind: 'notice' }>['level'];

interface RowOf<Kind extends string> {
  readonly kind: Kind;
  /** The same for as long as the row stands for the same thing: from the id of the event that opened it. */
  readonly key: string;
  readonly turnId: string;
}

export interface PromptRow extends RowOf<'prompt'> {
  readonly prompt: string;
  readonly author: string;
  readonly at: string;
  readonly attempt: number;
}

/** One block of a text: a paragraph, a list, a fence. Its parts that are finished never change. */
export interface TextRow extends RowOf<'text'> {
  readonly source: string;
  /** Where it begins in the whole text. */
  readonly offset: number;
  /** More of it may come. */
  readonly isOpen: boolean;
}

export interface ReasoningRow extends RowOf<'reasoning'> {
  readonly text: string;
  readonly isOpen: boolean;
}

/** Calls of one kind in a row, as one line. */
export interface ToolsRow extends RowOf<'tools'> {
  readonly tools: readonly ToolItem[];
}

export interface ToolRow extends RowOf<'tool'> {
  readonly tool: ToolItem;
}

export interface NoticeRow extends RowOf<'notice'> {
  readonly level: NoticeLevel;
  readonly text: string;
}

export interface CheckpointRow extends RowOf<'checkpoint'> {
  readonly checkpoint: Checkpoint;
  readonly usage: UsageTotals;
}

export interface RunningRow extends RowOf<'running'> {
  readonly state: Turn['state'];
  readonly since: string;
  /** The call that runs; empty when none. */
  readonly doing: string;
}

/** What a snapshot left out. */
export interface EarlierRow extends RowOf<'earlier'> {
  readonly omitted: number;
}

/** One line of the timeline, as high as it needs to be. Plain data; the same object for as long as it says the same. */
export type Row =
  | PromptRow
  | TextRow
  | ReasoningRow
  | ToolsRow
  | ToolRow
  | NoticeRow
  | CheckpointRow
  | RunningRow
  | EarlierRow;

/** Whether two rows say the same: fields by identity, lists by their members. */
export function isSameRow(one: Row, other: Row): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isSameField(one[name as keyof Row], other[name as keyof Row]));
}

function isSameField(one: unknown, other: unknown): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return Object.is(one, other);
  return one.length === other.length && one.every((member, index) => Object.is(member, other[index]));
}
