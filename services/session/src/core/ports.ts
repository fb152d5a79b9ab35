import type { SessionStatus } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

import type { RepositoryListRow } from './repository-list.projector.js';
import type { SessionListRow } from './session-list.projector.js';
import type { FollowedTurns } from './turn-process.js';

export interface ProbedRepository {
  readonly canonicalSource: string;
  readonly name: string;
  readonly defaultBranch: string;
  /** The branch asked for, or the default one. */
  readonly branch: string;
}

export interface RepositoryProbe {
  /** @throws Rejection `repository.*`; Fault `orchestrator.unavailable` */
  probe(source: string, branch: string): Promise<ProbedRepository>;
}

/** Where sessions, workspaces and the log grow. */
export interface Room {
  /** For work that makes it fuller. @throws Fault `disk.full` */
  require(): void;
}

/** Ids, hashes and the clock, which deciding takes as data. */
export interface Surroundings {
  newId(): string;
  /** The same parts, the same id. */
  derivedId(...parts: readonly string[]): string;
  hashOf(value: unknown): string;
  /** RFC 3339, milliseconds, UTC. */
  now(): string;
}

export interface SessionReader {
  /** The complete fold up to the session's end. @throws Rejection `session.not-found` */
  read(sessionId: string): Promise<SessionState>;
}

/** Folds to read on from. They save time and nothing else: without them the log is folded from the session's beginning. */
export interface SessionSnapshots {
  /** The fold up to `head` of what is returned, by this build's fold and of this log; null when there is none. */
  load(sessionId: string): Promise<SessionState | null>;
  /** `events`: how many of the session's are in it, at least. Never over a later one. False: nothing was kept, the list of sessions does not have it. */
  save(state: SessionState, events: number): Promise<boolean>;
  /** Sessions, as far as indexed, that have some hundred events more than their snapshot. */
  due(): Promise<readonly DueSnapshot[]>;
  /** What was kept of the log as it was before a restore. */
  forgetOtherLogs(): Promise<void>;
}

export interface DueSnapshot {
  readonly sessionId: string;
  /** How many the index has counted. */
  readonly events: number;
}

/** Where events lie in the log. */
export interface EventIndex {
  /**
   * An event of the session that has at least `count` events between it and `before`; `0` when none is known. As near as it can be: an
   * index that is behind names an earlier one.
   *
   * @throws Fault `event-index.unavailable`; Rejection for what is no id
   */
  startBefore(query: { readonly sessionId: string; readonly before: string; readonly count: number }): Promise<string>;
}

export interface SessionListQuery {
  readonly organisationId: string;
  /** Null: all but archived ones. */
  readonly status: SessionStatus | null;
  /** Beginnings of words, all of which a session must hold; none: any session. */
  readonly words: readonly string[];
  /** Empty: any. */
  readonly repositoryId: string;
  /** Only these; none: any. */
  readonly sessionIds: readonly string[];
  /** From an earlier page; empty for the first. */
  readonly cursor: string;
  readonly limit: number;
  /** An event id the list must include, or empty. */
  readonly after: string;
}

export interface SessionListPage {
  readonly rows: readonly SessionListRow[];
  /** Empty on the last page. */
  readonly nextCursor: string;
  readonly stale: boolean;
}

export interface SessionList {
  /** Newest first. @throws Fault `session-list.unavailable` */
  list(query: SessionListQuery): Promise<SessionListPage>;
}

export interface RepositoryList {
  /** Most recently used first, at most `MAX_REPOSITORIES`. @throws Fault `repository-list.unavailable` */
  list(query: { readonly organisationId: string; readonly after: string }): Promise<{
    readonly rows: readonly RepositoryListRow[];
    readonly stale: boolean;
  }>;
}

export interface TurnCheckpoint {
  readonly epoch: string;
  readonly sequence: number;
  readonly turns: FollowedTurns;
}

/** Saves time at a start, nothing else: without it the log is followed from its beginning. */
export interface TurnCheckpoints {
  load(): Promise<TurnCheckpoint | null>;
  save(checkpoint: TurnCheckpoint): Promise<void>;
}

/** Tables that hold what people wrote. */
export interface ErasableRows {
  /**
   * Waits for the list to come to the sequence, at which these sessions are deleted; then nothing of them, and nothing else that was deleted
   * from the tables, is left in their files. @throws when it cannot
   */
  erase(sessionIds: readonly string[], throughSequence: number): Promise<void>;
}
