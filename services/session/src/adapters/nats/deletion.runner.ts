import { setTimeout as delay } from 'node:timers/promises';

import { isClosed } from '@bullpen/event-log';
import type { EventLog, LogMessage, Tail } from '@bullpen/event-log';
import type { CommandHandler } from '@bullpen/eventsourcing';
import type { Logger } from '@bullpen/telemetry';

import type { ErasableRows, Surroundings } from '../../core/ports.js';
import type { SessionAggregate } from '../../core/session.aggregate.js';
import type { SessionCommand } from '../../core/session.commands.js';
import type { SessionCoreEvent } from '../../core/session.events.js';
import { PLATFORM_ACTOR } from './turn-process.runner.js';

const OTHER_LANES = ['sandbox', 'agent'] as const;
const POLL_MS = 500;
const MAX_POLL_MS = 10_000;

export interface DeletionParts {
  readonly log: EventLog;
  readonly sessions: CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;
  readonly rows: ErasableRows;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/**
 * Finishes deletions: once the owners of the other lanes have closed theirs, nothing of the session is left in Postgres, and then `core`
 * gets its last event too. What is in the log says how far a deletion is, so it may be killed anywhere, and run twice at once.
 */
export class DeletionRunner {
  /** Sequence of SessionDeleted by session, as long as its lane is not closed. */
  readonly #pending = new Map<string, number>();
  readonly #stopping = new AbortController();
  #wake: () => void = () => undefined;
  #done: Promise<void> | null = null;

  constructor(private readonly parts: DeletionParts) {}

  start(): void {
    this.#done ??= this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#done;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    const tail = await this.#follow();
    let pauseMs = POLL_MS;
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => (this.#wake = resolve));
      const closed = await this.#finish().catch((error: unknown) => {
        this.parts.logger.warn('deleted sessions cannot be erased yet', { sessions: this.#pending.size, error });
        return 0;
      });
      pauseMs = closed > 0 || this.#pending.size === 0 ? POLL_MS : Math.min(pauseMs * 2, MAX_POLL_MS);
      if (this.#pending.size === 0) await woken;
      else await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    await tail?.stop();
  }

  /** Null: it was stopped before the log could be followed. */
  async #follow(): Promise<Tail | null> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        return await this.parts.log.tail({ fromSequence: 1, filter: { entity: 'session', lane: 'core' } }, (message) => this.#take(message));
      } catch (error) {
        this.parts.logger.warn('deletions wait for the log', { error });
        await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }

  #take({ lane, sequence, events }: LogMessage): void {
    for (const { type } of events) {
      if (type === 'SessionDeleted') this.#pending.set(lane.id, sequence);
      if (type === 'LaneClosed') this.#pending.delete(lane.id);
    }
    if (this.#pending.size > 0) this.#wake();
  }

  async #finish(): Promise<number> {
    const { rows, sessions, surroundings, logger } = this.parts;
    const ready: [string, number][] = [];
    for (const [sessionId, sequence] of this.#pending) if (await this.#othersAreDone(sessionId)) ready.push([sessionId, sequence]);
    if (ready.length === 0) return 0;
    const sessionIds = ready.map(([sessionId]) => sessionId);
    await rows.erase(sessionIds, Math.max(...ready.map(([, sequence]) => sequence)));
    for (const sessionId of sessionIds) {
      await sessions.handle(sessionId, { type: 'CloseLane' }, { actor: PLATFORM_ACTOR, commandId: surroundings.newId(), at: surroundings.now() });
      this.#pending.delete(sessionId);
      logger.info('session erased from the lists', { sessionId });
    }
    return ready.length;
  }

  async #othersAreDone(id: string): Promise<boolean> {
    for (const name of OTHER_LANES) if (!isClosed(await this.parts.log.laneEnd({ entity: 'session', id, name }))) return false;
    return true;
  }
}
