import { setTimeout as delay } from 'node:timers/promises';

import type { Actor } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { EventLog, LogMessage, Tail } from '@bullpen/event-log';
import type { CommandHandler } from '@bullpen/eventsourcing';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import type { Surroundings, TurnCheckpoints } from '../../core/ports.js';
import type { SessionCommand } from '../../core/session.commands.js';
import type { SessionAggregate } from '../../core/session.aggregate.js';
import type { SessionCoreEvent } from '../../core/session.events.js';
import { followMessage, unsaidEndings } from '../../core/turn-process.js';
import type { FollowedTurn, FollowedTurns, UnsaidEnding } from '../../core/turn-process.js';

const CHECKPOINT_EVERY_MS = 5_000;
const CHECKPOINT_TIMEOUT_MS = 2_000;
const CATCH_UP_TIMEOUT_MS = 60_000;
const RETRY_MS = 500;
const MAX_CONCURRENT_ENDINGS = 16;

export const PLATFORM_ACTOR: Actor = { kind: 'service', id: 'session', name: 'Bullpen' };

export interface TurnProcessParts {
  readonly log: EventLog;
  readonly sessions: CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;
  readonly checkpoints: TurnCheckpoints;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
}

/**
 * Ends turns, for as long as it runs. May be killed anywhere: following the log again leads to the same endings, and an attempt that is
 * said to have ended already is left alone. Needs the log only; the checkpoint is a shortcut.
 */
export class TurnProcessRunner {
  #turns: FollowedTurns = new Map();
  #sequence = 0;
  #saved = 0;
  #saving: Promise<void> | null = null;
  #wake: () => void = () => undefined;
  readonly #said = new WeakSet<FollowedTurn>();
  readonly #stopping = new AbortController();
  #tail: Tail | null = null;
  #done: Promise<void> | null = null;
  /** It tries twice a second for as long as the log is away. */
  readonly #patient: Logger;

  constructor(private readonly parts: TurnProcessParts) {
    this.#patient = withoutRepeats(parts.logger);
  }

  start(): void {
    this.#done ??= this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#tail?.stop();
    await this.#done;
    await this.#save();
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#resume();
    while (!signal.aborted) {
      try {
        await this.#follow();
      } catch (error) {
        if (!signal.aborted) this.#patient.warn('turn process waits for the log', { retryMs: RETRY_MS, error });
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #resume(): Promise<void> {
    const { checkpoints, logger } = this.parts;
    const loading = checkpoints.load().catch((error: unknown) => {
      logger.warn('turn process starts without its checkpoint', { error });
      return null;
    });
    const checkpoint = await Promise.race([loading, delay(CHECKPOINT_TIMEOUT_MS, null, { ref: false })]);
    if (checkpoint?.epoch !== this.parts.log.epoch) return;
    this.#turns = checkpoint.turns;
    this.#sequence = checkpoint.sequence;
    this.#saved = checkpoint.sequence;
  }

  async #follow(): Promise<void> {
    const { log } = this.parts;
    const end = await log.lastSequence();
    if (this.#sequence > end) this.#startOver();
    this.#tail = await log.tail({ fromSequence: this.#sequence + 1 }, (message) => this.#read(message));
    try {
      this.#stopping.signal.throwIfAborted();
      // Most endings of the past are said further on in the log.
      await this.#tail.reached(end, CATCH_UP_TIMEOUT_MS);
      while (!this.#stopping.signal.aborted) await this.#step();
    } finally {
      await this.#tail.stop();
    }
  }

  /** Never throws: a message that comes again and again would hold up the turns of every session. */
  #read(message: LogMessage): void {
    const before = this.#turns;
    try {
      this.#turns = followMessage(before, message);
    } catch (error) {
      this.parts.logger.error('turn process cannot read a message', { sequence: message.sequence, lane: message.lane, error });
    }
    this.#sequence = message.sequence;
    if (this.#turns !== before) this.#wake();
  }

  async #step(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    const endings = unsaidEndings(this.#turns).filter(({ turn }) => !this.#said.has(turn));
    const results = await Promise.all(endings.slice(0, MAX_CONCURRENT_ENDINGS).map((ending) => this.#end(ending)));
    void this.#save();
    const failed = results.includes('failed');
    if (!failed && endings.length > MAX_CONCURRENT_ENDINGS) return;
    const pauseMs = failed ? RETRY_MS : CHECKPOINT_EVERY_MS;
    await Promise.race([woken, delay(pauseMs, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => undefined)]);
  }

  async #end({ sessionId, turn, ending }: UnsaidEnding): Promise<'said' | 'failed'> {
    const { sessions, surroundings, logger } = this.parts;
    const { turnId, attempt } = turn;
    const meta = { actor: PLATFORM_ACTOR, commandId: surroundings.newId(), at: surroundings.now() };
    try {
      await sessions.handle(sessionId, { type: 'EndTurn', turnId, attempt, ending }, meta);
      this.#said.add(turn);
      return 'said';
    } catch (error) {
      logger.warn('turn cannot be ended yet', { sessionId, turnId, attempt, error });
      // What the rules or the schema refuse once they refuse again.
      if (error instanceof Rejection) this.#said.add(turn);
      return 'failed';
    }
  }

  #startOver(): void {
    this.#turns = new Map();
    this.#sequence = 0;
    this.#saved = 0;
  }

  /** One at a time, never waited for by the turns: Postgres may be away. */
  async #save(): Promise<void> {
    if (this.#sequence <= this.#saved) return;
    this.#saving ??= this.#saveNow().finally(() => (this.#saving = null));
    await Promise.race([this.#saving, delay(CHECKPOINT_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #saveNow(): Promise<void> {
    const checkpoint = { epoch: this.parts.log.epoch, sequence: this.#sequence, turns: this.#turns };
    try {
      await this.parts.checkpoints.save(checkpoint);
      this.#saved = checkpoint.sequence;
    } catch (error) {
      this.parts.logger.debug('turn process cannot save its checkpoint', { error });
    }
  }
}
