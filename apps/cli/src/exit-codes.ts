import { Rejection } from '@bullpen/errors';
import type { TurnOutcome } from '@bullpen/contracts';

/** What `bullpen` exits with. */
export const EXIT = {
  completed: 0,
  notCompleted: 1,
  usage: 2,
  refused: 3,
  /** Ctrl-C: the session goes on without us. */
  detached: 130,
  /** The reader of our output is gone (`| head -1`): as when SIGPIPE ends a program. */
  outputClosed: 141,
} as const;

/** For a person; the README's table is the same. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  completed: 'done; of a watched turn: it completed. Also when there was nothing to cancel, to retry or to change',
  notCompleted: 'the watched turn failed or was cancelled, prompts wait behind a failed sandbox, a question was answered with no, or doctor found something to mend',
  usage: 'wrong usage; nothing was sent',
  refused: 'the platform cannot be reached, or refused',
  detached: 'detached by Ctrl-C; the session goes on',
  outputClosed: 'the reader of the output went away (| head -1)',
};

export function exitCodeOf(outcome: TurnOutcome): number {
  switch (outcome) {
    case 'completed':
      return EXIT.completed;
    case 'failed':
    case 'cancelled':
      return EXIT.notCompleted;
  }
}

/** Refused before anything was sent: a mistake in how the command was called. */
const USAGE_CODES = new Set(['prompt.empty', 'argument.invalid', 'address.invalid', 'delete.unconfirmed']);

export function exitCodeOfError(error: unknown): number {
  return error instanceof Rejection && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.refused;
}
