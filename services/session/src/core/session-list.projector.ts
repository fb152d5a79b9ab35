import type { EventOf, SessionStatus, TurnOutcome } from '@bullpen/contracts';
import type { ProjectedEvent, Projector } from '@bullpen/eventsourcing';

import { moveTo } from './waiting-prompts.js';
import { addWords, searchWords, splitWords } from './search-words.js';
import { linesOf, note, noteText, reasonText } from './session-why.js';
import type { Notable } from './session-why.js';

/** One line of the list, and what its status is made from. */
export interface SessionListRow {
  readonly sessionId: string;
  readonly organisationId: string;
  readonly title: string;
  readonly status: SessionStatus;
  readonly repositoryId: string;
  readonly repositoryName: string;
  readonly branch: string;
  readonly agent: string;
  readonly model: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Last event folded into the row. */
  readonly rev: string;
  readonly turns: number;
  readonly filesChanged: number;
  readonly additions: number;
  readonly deletions: number;
  /** Of the last turn; null before the first, and until something is said of one that has begun. */
  readonly notable: Notable | null;
  readonly queuedPrompts: readonly string[];
  readonly running: { readonly turnId: string; readonly attempt: number; readonly agentHasIt: boolean } | null;
  readonly lastOutcome: TurnOutcome | null;
  readonly archived: boolean;
  /** Of repository and prompts, each word once; the title's are added when the row is written. */
  readonly words: string;
  /** What the title and `words` hold: what a search looks through. */
  readonly searchText: string;
}

const HANDLED = [
  'SessionCreated',
  'SessionRenamed',
  'SessionArchived',
  'SessionUnarchived',
  'SessionDeleted',
  'LaneClosed',
  'PromptQueued',
  'PromptEdited',
  'PromptMoved',
  'PromptWithdrawn',
  'TurnStarted',
  'TurnEnded',
  'AgentStarted',
  'AssistantTextAppended',
  'ToolCallStarted',
  'FilesChanged',
  'CheckpointCreated',
  'SandboxSpawnFailed',
] as const;
type HandledEvent = EventOf<(typeof HANDLED)[number]>;

export const sessionListProjector: Projector<ProjectedEvent, SessionListRow> = {
  name: 'session-list.v3',
  handles: HANDLED,
  rowId: (event) => event.lane.id,
  apply: (row, event) => {
    if (row && BigInt(event.id) <= BigInt(row.rev)) return row;
    const handled = event as unknown as HandledEvent;
    if (handled.type === 'SessionDeleted' || handled.type === 'LaneClosed') return null;
    const before = handled.type === 'SessionCreated' ? createdRow(event, handled.data) : row;
    if (!before) return null;
    const after = applyTo(before, handled);
    // Text flows by in hundreds of events, of which the first few make the line.
    if (after === row) return row;
    return { ...after, searchText: searchTextOf(after, row), status: statusOf(after), updatedAt: event.at, rev: event.id };
  },
};

/** The title's words first: they stay when there are too many. */
function searchTextOf({ title, words }: SessionListRow, before: SessionListRow | null): string {
  if (before?.title === title && before.words === words) return before.searchText;
  return addWords(searchWords(title).join(' '), splitWords(words));
}

function createdRow(event: ProjectedEvent, data: EventOf<'SessionCreated'>['data']): SessionListRow {
  return {
    sessionId: event.lane.id,
    organisationId: data.organisationId,
    title: data.title,
    status: 'idle',
    repositoryId: data.repository.id,
    repositoryName: data.repository.name,
    branch: data.branch,
    agent: data.agent,
    model: data.model,
    createdAt: event.at,
    updatedAt: event.at,
    rev: event.id,
    turns: 0,
    filesChanged: 0,
    additions: 0,
    deletions: 0,
    notable: null,
    queuedPrompts: [],
    running: null,
    lastOutcome: null,
    archived: false,
    words: addWords('', searchWords(data.repository.name)),
    searchText: '',
  };
}

type RowEvent = Exclude<HandledEvent, { type: 'SessionDeleted' | 'LaneClosed' }>;

function applyTo(row: SessionListRow, event: RowEvent): SessionListRow {
  switch (event.type) {
    case 'SessionCreated':
      return row;
    case 'SessionRenamed':
      return { ...row, title: event.data.title };
    case 'SessionArchived':
      return { ...row, archived: true };
    case 'SessionUnarchived':
      return { ...row, archived: false };
    case 'PromptQueued':
      return { ...withWords(row, event.data.text), queuedPrompts: [...row.queuedPrompts, event.data.promptId] };
    case 'PromptEdited':
      return withWords(row, event.data.text);
    case 'PromptMoved':
      return { ...row, queuedPrompts: moveTo(row.queuedPrompts, event.data.promptId, event.data.before) };
    case 'PromptWithdrawn':
      return { ...row, queuedPrompts: row.queuedPrompts.filter((waiting) => waiting !== event.data.promptId) };
    case 'TurnStarted': {
      const { turnId, promptId, attempt } = event.data;
      const queuedPrompts = row.queuedPrompts.filter((waiting) => waiting !== promptId);
      return { ...row, queuedPrompts, turns: row.turns + (attempt === 1 ? 1 : 0), running: { turnId, attempt, agentHasIt: false }, notable: null };
    }
    case 'AgentStarted': {
      const isRunning = row.running?.turnId === event.data.turnId && row.running.attempt === event.data.attempt;
      return row.running && isRunning ? { ...row, running: { ...row.running, agentHasIt: true }, notable: null } : row;
    }
    case 'TurnEnded':
      return { ...row, running: null, lastOutcome: event.data.outcome, notable: notableEnd(row, event.data) };
    case 'AssistantTextAppended': {
      const notable = noteText(row.notable, event.data);
      return notable === row.notable ? row : { ...row, notable };
    }
    case 'ToolCallStarted':
      return { ...row, notable: note('doing', event.data.title || event.data.name) };
    case 'FilesChanged':
      return { ...row, filesChanged: event.data.total, ...linesOf(event.data.files) };
    case 'CheckpointCreated': {
      const { files, insertions, deletions } = event.data.stats;
      return { ...row, filesChanged: files, additions: insertions, deletions };
    }
    case 'SandboxSpawnFailed':
      return { ...row, notable: note('no-sandbox', reasonText(event.data.reason, 'it is tried again')) };
  }
}

function notableEnd(row: SessionListRow, { outcome, reason }: EventOf<'TurnEnded'>['data']): Notable | null {
  if (outcome === 'failed') return note('failed', reasonText(reason, 'the turn did not come to its end'));
  return outcome === 'cancelled' ? note('cancelled', '') : row.notable;
}

function withWords(row: SessionListRow, text: string): SessionListRow {
  return { ...row, words: addWords(row.words, searchWords(text)) };
}

/** Nothing runs, and what ran last failed: prompts that wait do so until somebody looks. */
export function needsAttention(row: SessionListRow): boolean {
  return !row.archived && row.running === null && row.lastOutcome === 'failed';
}

function statusOf(row: SessionListRow): SessionStatus {
  if (row.archived) return 'archived';
  if (row.running?.agentHasIt) return 'running';
  if (row.running || row.queuedPrompts.length > 0) return 'queued';
  return row.lastOutcome === 'failed' ? 'failed' : 'idle';
}
