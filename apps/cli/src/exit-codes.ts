import type { TurnOutcome } from '@bullpen/contracts';

/** What `bullpen` exits with. */
export const EXIT = {
  completed: 0,
  /** The turn failed or was cancelled. */
  notCompleted: 1,
  usage: 2,
  /** The platform cannot be reached, or refused. */
  refused: 3,
  /** Ctrl-C: the session goes on without us. */
  detached: 130,
  /** The reader of our output is gone (`| head -1`): as when SIGPIPE ends a program. */
  outputClosed: 141,
} as const;

export function exitCodeOf(outcome: TurnOutcome): number {
  switch (outcome) {
    case 'completed':
      return EXIT.completed;
    case 'failed':
    case 'cancelled':
      return EXIT.notCompleted;
  }
}
