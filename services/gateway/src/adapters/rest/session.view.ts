import { SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';
import type { SessionStatus, TurnOutcome, sessionApi } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';
import type { SessionRow } from '@bullpen/sync-protocol';

const NO_ISOLATION =
  'This sandbox runs without isolation: its agent can read and change what the platform’s user can. Install bubblewrap, or unset BULLPEN_ISOLATION where it is none.';

/** A session as the API shows it: the complete fold, plus what a person must be told. */
export type SessionView = SessionState & {
  readonly id: string;
  /** Null when the sandbox is isolated, or not there yet. */
  readonly isolationWarning: string | null;
  /** Null when a real model answers. */
  readonly modelNotice: string | null;
};

export function sessionView(state: SessionState): SessionView {
  return {
    id: state.sessionId,
    ...state,
    isolationWarning: state.sandbox.isolation === 'none' ? NO_ISOLATION : null,
    modelNotice: state.modelProvider === 'scripted' ? SCRIPTED_MODEL_NOTICE : null,
  };
}

/** A line of the list, as REST answers it and as the socket pushes it. */
export function sessionRow(summary: sessionApi.SessionSummary): SessionRow {
  const { sessionId, title, repositoryId, repositoryName, branch, agent, model, createdAt, updatedAt, rev } = summary;
  const { turns, filesChanged, additions, deletions, queued, attention, why } = summary;
  return {
    id: sessionId,
    title,
    status: summary.status as SessionStatus,
    repository: { id: repositoryId, name: repositoryName },
    ...{ branch, agent, model, createdAt, updatedAt, rev },
    ...{ turns, filesChanged, additions, deletions, queued, attention, why },
    lastOutcome: summary.lastOutcome === '' ? null : (summary.lastOutcome as TurnOutcome),
  };
}
