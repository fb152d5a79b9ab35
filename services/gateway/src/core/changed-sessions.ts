import { eventId } from '@bullpen/event-log';
import type { LogMessage } from '@bullpen/event-log';

/** More wait only while the session service is away for long; the watchers are then told to list again. */
export const MAX_CHANGED_SESSIONS = 2_000;
/** Come in crowds and are in no line. */
const QUIET: ReadonlySet<string> = new Set(['ReasoningAppended', 'ToolCallProgressed', 'UsageReported']);

/** Session ids, each with the last event that may have changed its line. */
export type Changes = ReadonlyMap<string, string>;

/** Sessions whose line in the list may be another, until somebody has asked for it. */
export class ChangedSessions {
  #waiting = new Map<string, string>();

  get size(): number {
    return this.#waiting.size;
  }

  /** @returns whether there was room for it */
  note({ lane, sequence, events }: LogMessage): boolean {
    if (lane.entity !== 'session' || events.every(({ type }) => QUIET.has(type))) return true;
    if (this.#waiting.size >= MAX_CHANGED_SESSIONS && !this.#waiting.has(lane.id)) return false;
    this.#waiting.set(lane.id, eventId(sequence, events.length - 1));
    return true;
  }

  /** Those that wait longest. */
  take(atMost: number): Changes {
    const taken = new Map([...this.#waiting].slice(0, atMost));
    for (const id of taken.keys()) this.#waiting.delete(id);
    return taken;
  }

  /** What could not be asked for; what came since goes above it. */
  giveBack(taken: Changes): void {
    this.#waiting = new Map([...taken, ...this.#waiting]);
  }

  clear(): void {
    this.#waiting.clear();
  }
}
