import { SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';
import type { sessionApi } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

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

export function sessionRow(summary: sessionApi.SessionSummary) {
  const { sessionId, title, status, repositoryId, repositoryName, branch, agent, model } = summary;
  const { createdAt, updatedAt, rev, turns, filesChanged } = summary;
  const repository = { id: repositoryId, name: repositoryName };
  return { id: sessionId, title, status, repository, branch, agent, model, createdAt, updatedAt, rev, turns, filesChanged };
}
