import type { EventLog, LogMessage, Tail } from '@bullpen/event-log';

import { evolve, newSandboxedSession } from '../../core/sandbox.state.js';
import type { SandboxedSession } from '../../core/sandbox.state.js';

/** Reading the whole log at start. */
const CATCH_UP_TIMEOUT_MS = 10 * 60_000;
/** Until an append of this process comes back by the tail. */
const OWN_APPEND_TIMEOUT_MS = 10_000;

/** Every session's fold, kept up to date from the log's start; nothing of it is stored. */
export class SessionStates {
  readonly #states = new Map<string, SandboxedSession>();
  #tail: Tail | null = null;

  private constructor(private readonly onChange: (sessionId: string) => void) {}

  /** Resolves once everything that was in the log at the call is folded. */
  static async follow(log: EventLog, onChange: (sessionId: string) => void): Promise<SessionStates> {
    const states = new SessionStates(onChange);
    const last = await log.lastSequence();
    states.#tail = await log.tail({ fromSequence: 1 }, (message) => states.#take(message));
    await states.#tail.reached(last, CATCH_UP_TIMEOUT_MS);
    return states;
  }

  get(sessionId: string): SandboxedSession | undefined {
    return this.#states.get(sessionId);
  }

  ids(): Iterable<string> {
    return this.#states.keys();
  }

  /** Resolves once the message is folded. @throws Fault `log.behind` */
  async reached(sequence: number): Promise<void> {
    await this.#tail?.reached(sequence, OWN_APPEND_TIMEOUT_MS);
  }

  async stop(): Promise<void> {
    await this.#tail?.stop();
  }

  #take({ lane, sequence, events }: LogMessage): void {
    if (lane.entity !== 'session') return;
    const before = this.#states.get(lane.id) ?? newSandboxedSession(lane.id);
    const after = events.reduce((state, event) => evolve(state, event, { lane: lane.name, sequence }), before);
    if (after === before) return;
    this.#states.set(lane.id, after);
    this.onChange(lane.id);
  }
}
