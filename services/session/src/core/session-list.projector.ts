import type { EventOf, SessionStatus, TurnOutcome } from '@bullpen/contracts';
import type { ProjectedEvent, Projector } from '@bullpen/eventsourcing';

import { moveTo } from './waiting-prompts.js';
import { addWords, searchWords, splitWords } from './search-words.js';

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
  'FilesChanged',
] as const;
type HandledEvent = EventOf<(typeof HANDLED)[number]>;

export const sessionListProjector: Projector<ProjectedEvent, SessionListRow> = {
  name: 'session-list.v2',
  handles: HANDLED,
  rowId: (event) => event.lane.id,
  apply: (row, event) => {
    if (row && BigInt(event.id) <= BigInt(row.rev)) return row;
    const handled = event as unknown as HandledEvent;
    if (handled.type === 'SessionDeleted' || handled.type === 'LaneClosed') return null;
    const before = handled.type === 'SessionCreated' ? createdRow(event, handled.data) : row;
    if (!before) return null;
    const after = applyTo(before, handled);
    // The title's first: they stay when there are too many.
    const searchText = addWords(searchWords(after.title).join(' '), splitWords(after.words));
    return { ...after, searchText, status: statusOf(after), updatedAt: event.at, rev: event.id };
  },
};

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
      return { ...row, queuedPrompts, turns: row.turns + (attempt === 1 ? 1 : 0), running: { turnId, attempt, agentHasIt: false } };
    }
    case 'AgentStarted': {
      const isRunning = row.running?.turnId === event.data.turnId && row.running.attempt === event.data.attempt;
      return row.running && isRunning ? { ...row, running: { ...row.running, agentHasIt: true } } : row;
    }
    case 'TurnEnded':
      return { ...row, running: null, lastOutcome: event.data.outcome };
    case 'FilesChanged':
      return { ...row, filesChanged: event.data.total };
  }
}

function withWords(row: SessionListRow, text: string): SessionListRow {
  return { ...row, words: addWords(row.words, searchWords(text)) };
}

function statusOf(row: SessionListRow): SessionStatus {
  if (row.archived) return 'archived';
  if (row.running?.agentHasIt) return 'running';
  if (row.running || row.queuedPrompts.length > 0) return 'queued';
  return row.lastOutcome === 'failed' ? 'failed' : 'idle';
}
