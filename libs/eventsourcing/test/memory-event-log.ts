import { setTimeout as delay } from 'node:timers/promises';

import type { SessionEvent } from '@bullpen/contracts';
import { Bug, Fault } from '@bullpen/errors';
import { LaneConflict, eventId, laneSubject } from '@bullpen/event-log';
import type { AppendRequest, Appended, EventLog, Lane, LaneEnd, LogMessage, SessionHead, Tail, TailOptions } from '@bullpen/event-log';

/** A log for specs: append with expected sequence, lanes, tail. `beforeAppend` lets a spec come in between. */
export class MemoryEventLog implements EventLog {
  epoch = 'epoch-1';
  readonly messages: LogMessage[] = [];
  readonly keys: string[] = [];
  beforeAppend: (request: AppendRequest) => Promise<void> = async () => undefined;
  failNextAppend = false;
  /** The next append is stored; then this happens, and its writer is told nothing. */
  loseNextAnswer: (() => Promise<void>) | null = null;
  #followers = new Set<() => void>();

  async lastSequence(): Promise<number> {
    return this.messages.length;
  }

  async append(request: AppendRequest): Promise<Appended> {
    await this.beforeAppend(request);
    if (this.failNextAppend) {
      this.failNextAppend = false;
      throw new Fault('log.unavailable', 'The log is away.');
    }
    const { lane, events, expected, key } = request;
    const actual = this.#last(lane)?.sequence ?? 0;
    if (actual !== expected) throw new LaneConflict(lane, expected, actual);
    this.keys.push(key);
    const sequence = this.messages.length + 1;
    this.messages.push({ lane, sequence, events, frames: request.frames ?? null });
    for (const wake of this.#followers) wake();
    const loseAnswer = this.loseNextAnswer;
    this.loseNextAnswer = null;
    await loseAnswer?.();
    if (loseAnswer && this.#last(lane)?.sequence !== sequence) throw new LaneConflict(lane, expected, this.messages.length);
    if (loseAnswer) throw new Fault('log.unavailable', 'The log is away.');
    return { sequence, lastId: eventId(sequence, events.length - 1) };
  }

  async laneEnd(lane: Lane): Promise<LaneEnd> {
    const message = this.#last(lane) ?? null;
    return { sequence: message?.sequence ?? 0, message };
  }

  async *readLane(lane: Lane, fromSequence = 1): AsyncIterable<LogMessage> {
    const subject = laneSubject(lane);
    yield* this.messages.filter((message) => message.sequence >= fromSequence && laneSubject(message.lane) === subject);
  }

  readSession(): AsyncIterable<SessionEvent> {
    throw new Bug('not part of this log');
  }

  sessionHead(): Promise<SessionHead> {
    throw new Bug('not part of this log');
  }

  async tail({ fromSequence }: TailOptions, onMessage: (message: LogMessage) => void | Promise<void>): Promise<Tail> {
    let position = fromSequence - 1;
    let stopped = false;
    let wake: () => void = () => undefined;
    const follower = (): void => wake();
    this.#followers.add(follower);
    const run = async (): Promise<void> => {
      while (!stopped) {
        const message = this.messages[position];
        if (message) {
          await onMessage(message);
          position = message.sequence;
        } else {
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
    };
    const done = run();
    return {
      get position() {
        return position;
      },
      reached: async (sequence, timeoutMs) => {
        const until = Date.now() + timeoutMs;
        while (position < sequence) {
          if (Date.now() > until) throw new Fault('log.behind', 'too late');
          await delay(2);
        }
      },
      stop: async () => {
        stopped = true;
        this.#followers.delete(follower);
        wake();
        await done;
      },
    };
  }

  async close(): Promise<void> {
    this.#followers.clear();
  }

  #last(lane: Lane): LogMessage | undefined {
    const subject = laneSubject(lane);
    return this.messages.findLast((message) => laneSubject(message.lane) === subject);
  }
}
