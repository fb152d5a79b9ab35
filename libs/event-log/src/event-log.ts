import type { RepositoryLane, SessionEvent, SessionLane, StoredEvent } from '@bullpen/contracts';

/** One subject with one owner. */
export type Lane =
  | { readonly entity: 'session'; readonly id: string; readonly name: SessionLane }
  | { readonly entity: 'repository'; readonly id: string; readonly name: RepositoryLane };

/** One message of the log: events that were appended together. */
export interface LogMessage {
  readonly lane: Lane;
  /** Stream sequence. Event i of it has the id `sequence × 256 + i`. */
  readonly sequence: number;
  readonly events: readonly StoredEvent[];
  /** The `Bullpen-Frames` header: the last runner frames that are in the lane. */
  readonly frames: FrameRange | null;
}

export interface FrameRange {
  readonly sandboxId: string;
  readonly generation: number;
  readonly first: number;
  readonly last: number;
}

export interface AppendRequest {
  readonly lane: Lane;
  /** 1 to 256 events, at most 512 KB as JSON. */
  readonly events: readonly StoredEvent[];
  /** Sequence of the lane's last message as the caller knows it; 0 for a new lane. */
  readonly expected: number;
  /** Unique to these bytes within the lane: a resend under the same key adds nothing. */
  readonly key: string;
  /** Agent lane only. */
  readonly frames?: FrameRange | undefined;
}

export interface Appended {
  readonly sequence: number;
  /** Id of the last event of the append. */
  readonly lastId: string;
}

/** Where a lane ends, as the stream's leader has it. */
export interface LaneEnd {
  readonly sequence: number;
  readonly message: LogMessage | null;
}

export interface SessionHead {
  /** Id of the session's last event; `0` when it has none. */
  readonly id: string;
  readonly sequence: number;
}

export interface ReadSessionOptions {
  /** `0`, or the id of an event of this session. @throws Rejection `event.unknown` */
  readonly after: string;
  /** Read up to and including this stream sequence; the session's head when absent. */
  readonly throughSequence?: number;
}

export interface TailOptions {
  /** First stream sequence to deliver. */
  readonly fromSequence: number;
  /** Subjects to deliver; all session and repository lanes when absent. */
  readonly filter?: 'all' | { readonly entity: 'session' | 'repository'; readonly lane: string };
}

/**
 * A position in the log as it moves. Restarts itself on gaps, cut connections and server restarts; each message once, in order. A
 * message whose handler rejects comes again after a pause, as often as it takes: what must not block the tail, the handler catches.
 */
export interface Tail {
  /** Every message at or below this sequence has been handed to `onMessage`, and its promise has settled. */
  readonly position: number;
  /** Resolves once `position` ≥ sequence. @throws Fault `log.behind` after `timeoutMs`, or once it is stopped */
  reached(sequence: number, timeoutMs: number): Promise<void>;
  /** Resolves once the handler is done with its message; not to be awaited in the handler itself. */
  stop(): Promise<void>;
}

/**
 * The log as a process sees it. Every method may throw Fault `log.unavailable` once its bounded retries are used up; nothing that was
 * acknowledged is ever lost by that.
 */
export interface EventLog {
  /** Of the stream as it was at connect; renewed by restore and reset. */
  readonly epoch: string;
  /** Stream sequence of the last message in the log, from the leader. */
  lastSequence(): Promise<number>;
  /**
   * Appends one message. Unclear acknowledgements are resolved by reading the lane's end from the leader.
   * @throws LaneConflict when the lane ends elsewhere than expected
   */
  append(request: AppendRequest): Promise<Appended>;
  /** From the stream's leader. */
  laneEnd(lane: Lane): Promise<LaneEnd>;
  /** All messages of a lane from a sequence on, in order, up to its end at the time of the call. */
  readLane(lane: Lane, fromSequence?: number): AsyncIterable<LogMessage>;
  /** All lanes of a session in order, stamped with `id` and `prev`. */
  readSession(sessionId: string, options: ReadSessionOptions): AsyncIterable<SessionEvent>;
  /** From the stream's leader. */
  sessionHead(sessionId: string): Promise<SessionHead>;
  tail(options: TailOptions, onMessage: (message: LogMessage) => void | Promise<void>): Promise<Tail>;
  close(): Promise<void>;
}

/** The lane ends elsewhere than the writer thought: fold again, decide again. */
export class LaneConflict extends Error {
  override readonly name = 'LaneConflict';
  constructor(
    readonly lane: Lane,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`lane ${lane.entity}/${lane.id}/${lane.name} ends at ${actual}, not at ${expected}`);
  }
}
