import type { CoreEvent, EventOf, Reason, TurnOutcome } from '@bullpen/contracts';

/** Lane session/core. */
export type SessionCoreEvent = (CoreEvent | EventOf<'LaneClosed'>) & {
  /** Of the request that it goes on for; absent: of the command's. */
  readonly traceparent?: string;
};

export interface Attempt {
  readonly turnId: string;
  readonly promptId: string;
  /** From 1. */
  readonly attempt: number;
}

/** How an attempt ended, as its sandbox or its agent said. */
export interface TurnEnding {
  readonly outcome: TurnOutcome;
  readonly reason: Reason | null;
}

/** No sandbox can be had: the queue waits for a person. */
export const SANDBOX_FAILED = 'sandbox.failed';
export const SANDBOX_LOST = 'sandbox.lost';
export const SESSION_DELETED = 'session.deleted';
export const PLATFORM_STOPPED = 'platform.stopped';

/** A prompt has one turn, whatever the number of attempts. */
export function turnIdOf(promptId: string): string {
  return `t${promptId}`;
}
