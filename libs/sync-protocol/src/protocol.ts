import type { ErrorDescription } from '@bullpen/errors';
import type { SessionEvent } from '@bullpen/contracts';
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

export interface ClientToServer {
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
  /** `details.sessionId`: its subscription is over. `sync.lagging`: subscribe again with `after`; any other code: after a delay. */
  error: (error: ErrorDescription) => void;
}
