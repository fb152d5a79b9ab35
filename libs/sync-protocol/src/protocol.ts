import type { ErrorDescription } from '@bullpen/errors';
import type { SessionEvent, SessionStatus, TurnOutcome } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

export { SNAPSHOT_ROWS } from '@bullpen/session-model';

/** Socket.IO between gateway and clients: namespace `/`, websocket transport, `auth: {token}`. */
export const PING_INTERVAL_MS = 10_000;
export const PING_TIMEOUT_MS = 5_000;
export const HEAD_INTERVAL_MS = 5_000;
/** A client that is behind `session.head` for this long fetches. */
export const BEHIND_MS = 1_000;
/** At most so many missing events are sent one by one; else a snapshot. */
export const MAX_GAP_EVENTS = 2_000;
/** A socket with more than this unsent is marked lagging and told to resume. */
export const MAX_SOCKET_BUFFER_BYTES = 8 * 1024 * 1024;
export const EVENTS_PER_BATCH = 200;
export const BATCH_BYTES = 256 * 1024;

export interface SubscribeRequest {
  readonly sessionId: string;
  /** `0`, or the last event id that the client holds. */
  readonly after?: string;
  /** Fold versions that the client can take a snapshot of; none: events only. */
  readonly models?: readonly string[];
}

export type Acknowledgement<Success> = ({ readonly ok: true } & Success) | ({ readonly ok: false } & ErrorDescription);

export interface SubscribeSuccess {
  /** Last event of the session when the subscription began. */
  readonly head: string;
  readonly epoch: string;
}

/** Which sessions a list is about; as the query of `GET /api/v1/sessions`. */
export interface SessionFilter {
  readonly q?: string;
  readonly repository?: string;
  /** Absent: all but archived ones. */
  readonly status?: SessionStatus;
}

export interface WatchRequest {
  readonly filter?: SessionFilter;
}

export interface WatchSuccess {
  /** A list that is read with it as `after`, and what is pushed, leave nothing out between them. */
  readonly head: string;
  readonly epoch: string;
}

/** One line of the list of sessions. */
export interface SessionRow {
  readonly id: string;
  readonly title: string;
  readonly status: SessionStatus;
  readonly repository: { readonly id: string; readonly name: string };
  readonly branch: string;
  readonly agent: string;
  readonly model: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Last event in the row; a row is never applied over one with a later `rev`. */
  readonly rev: string;
  readonly turns: number;
  readonly filesChanged: number;
  /** Lines of the whole difference from the session's base. */
  readonly additions: number;
  readonly deletions: number;
  /** Prompts that wait. */
  readonly queued: number;
  readonly lastOutcome: TurnOutcome | null;
  /** Nothing runs, and somebody must do something before it goes on well. */
  readonly attention: boolean;
  /** For a person: what runs, what was said last, or why it failed. */
  readonly why: string;
}

export interface SessionsChange {
  readonly rows: readonly SessionRow[];
  /** Not, or no longer, what the filter asks for. A row with a later `rev` brings the session back. */
  readonly removed: readonly { readonly id: string; readonly rev: string }[];
}

export interface ClientToServer {
  'sessions.watch': (request: WatchRequest, acknowledge: (answer: Acknowledgement<WatchSuccess>) => void) => void;
  'session.subscribe': (request: SubscribeRequest, acknowledge: (answer: Acknowledgement<SubscribeSuccess>) => void) => void;
  'session.unsubscribe': (request: { readonly sessionId: string }, acknowledge: (answer: Acknowledgement<object>) => void) => void;
}

export interface SessionSnapshot {
  readonly sessionId: string;
  readonly epoch: string;
  /** Version of the fold. */
  readonly model: string;
  readonly upTo: string;
  readonly state: SessionState;
  /** Events after `upTo`, in order. */
  readonly tail: readonly SessionEvent[];
}

export interface ServerToClient {
  'session.snapshot': (snapshot: SessionSnapshot) => void;
  /** In order, each once; the first one's `prev` is the last the client has. */
  'session.events': (batch: { readonly sessionId: string; readonly events: readonly SessionEvent[] }) => void;
  'session.head': (head: { readonly sessionId: string; readonly head: string }) => void;
  /** After the list itself has it; of what `sessions.watch` asked for last. */
  'sessions.changed': (change: SessionsChange) => void;
  /** `details.watch`: the watch of the list is over; watch again, then list again. `details.sessionId`: its subscription is over. `sync.lagging`: subscribe again with `after`; any other code: after a delay. */
  error: (error: ErrorDescription) => void;
}
