import type { EventOf, SessionStatus, TurnOutcome } from '@bullpen/contracts';
import type { ProjectedEvent, Projector } from '@bullpen/eventsourcing';

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
}

const HANDLED = ['SessionCreated', 'PromptQueued', 'TurnStarted', 'TurnEnded', 'AgentStarted', 'FilesChanged'] as const;
type HandledEvent = EventOf<(typeof HANDLED)[number]>;

export const sessionListProjector: Projector<ProjectedEvent, SessionListRow> = {
  name: 'session-list.v1',
  handles: HANDLED,
  rowId: (event) => event.lane.id,
  apply: (row, event) => {
    if (row && BigInt(event.id) <= BigInt(row.rev)) return row;
    const handled = event as unknown as HandledEvent;
    const before = handled.type === 'SessionCreated' ? createdRow(event, handled.data) : row;
    if (!before) return null;
    const after = applyTo(before, handled);
    return { ...after, status: statusOf(after), updatedAt: event.at, rev: event.id };
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
  };
}

function applyTo(row: SessionListRow, event: HandledEvent): SessionListRow {
  switch (event.type) {
    case 'SessionCreated':
      return row;
    case 'PromptQueued':
      return { ...row, queuedPrompts: [...row.queuedPrompts, event.data.promptId] };
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

function statusOf(row: SessionListRow): SessionStatus {
  if (row.running?.agentHasIt) return 'running';
  if (row.running || row.queuedPrompts.length > 0) return 'queued';
  return row.lastOutcome === 'failed' ? 'failed' : 'idle';
}
