import type { EventData, EventType, JsonRecord } from './events.js';

export const ACTOR_KINDS = ['user', 'service', 'sandbox'] as const;
export interface Actor {
  readonly kind: (typeof ACTOR_KINDS)[number];
  readonly id: string;
  readonly name: string;
}

/** As it lies in the log: one element of a message's JSON array. */
export interface StoredEvent {
  readonly type: string;
  /** Version of the type; raised only with an upcaster. */
  readonly v: number;
  /** RFC 3339, milliseconds, UTC. */
  readonly at: string;
  readonly actor: Actor;
  readonly turnId?: string;
  readonly data: JsonRecord;
  readonly traceparent?: string;
}

/** `0` stands before every event. */
export const BEFORE_ALL_EVENTS = '0';

export const SESSION_LANES = ['core', 'sandbox', 'agent', 'artifact'] as const;
export const REPOSITORY_LANES = ['core', 'pool', 'snapshot'] as const;
export type SessionLane = (typeof SESSION_LANES)[number];
export type RepositoryLane = (typeof REPOSITORY_LANES)[number];

/** As every reader sees it; the same bytes for every reader, for ever. */
export interface SessionEvent extends StoredEvent {
  /** Canonical decimal string; two ids of one session compare as integers, and nothing more. */
  readonly id: string;
  /** Id of the session's event before this one, over all lanes; null for its first. */
  readonly prev: string | null;
  readonly sessionId: string;
  readonly lane: SessionLane;
}

/** A session event whose type this build knows; narrow with `isKnownEvent`, then switch on `type`. */
export type KnownSessionEvent = {
  [T in EventType]: Omit<SessionEvent, 'type' | 'data'> & { readonly type: T; readonly data: EventData[T] };
}[EventType];
