import { deepStrictEqual, fail } from 'node:assert/strict';

import { Rejection } from '@bullpen/errors';

import type { Decider } from './decider.js';

export interface DecidedThen<Event> {
  /** Exactly these events, in order. */
  then(expected: readonly Event[]): void;
  /** Already so. */
  thenNothing(): void;
  thenRejects(code: string): void;
}

export interface DeciderSpecification<Command, Event> {
  readonly given: (history: readonly Event[]) => { readonly when: (command: Command) => DecidedThen<Event> };
}

/**
 * Given these events, when this command, then those events. Throws an assertion error that shows both sides.
 *
 * @example deciderSpecification(sessionDecider).given([created]).when(cancel).thenNothing();
 */
export function deciderSpecification<State, Command, Event>(
  decider: Decider<State, Command, Event>,
): DeciderSpecification<Command, Event> {
  return {
    given: (history) => {
      const state = history.reduce(decider.evolve, decider.initialState());
      return { when: (command) => decided(() => decider.decide(command, state)) };
    },
  };
}

function decided<Event>(decide: () => readonly Event[]): DecidedThen<Event> {
  return {
    then: (expected) => deepStrictEqual(decide(), expected),
    thenNothing: () => deepStrictEqual(decide(), []),
    thenRejects: (code) => {
      const rejection = rejectionOf(decide);
      deepStrictEqual(rejection.code, code);
    },
  };
}

function rejectionOf(decide: () => readonly unknown[]): Rejection {
  let events: readonly unknown[];
  try {
    events = decide();
  } catch (error) {
    if (error instanceof Rejection) return error;
    throw error;
  }
  return fail(`expected a rejection, got ${JSON.stringify(events)}`);
}
