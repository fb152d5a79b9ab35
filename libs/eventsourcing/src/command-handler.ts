import { parseEventData } from '@bullpen/contracts';
import type { Actor, EventType, JsonRecord, StoredEvent } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import { LaneConflict, isClosed, laneClosed } from '@bullpen/event-log';
import type { EventLog, Lane, LogMessage } from '@bullpen/event-log';

import type { Decider } from './decider.js';
import { KeyedQueue } from './keyed-queue.js';
import { LruCache } from './lru-cache.js';

/** A conflict means that another writer got on, so these are lost races, not waiting. */
const MAX_ATTEMPTS = 8;
const MAX_CACHED_AGGREGATES = 1_000;
const MAX_WAITING_COMMANDS = 64;
/** Behind commands that wait for a log that is away; who asked has given up by then, and must not be answered by a surprise. */
const MAX_WAIT_MS = 10_000;
const EVENT_VERSION = 1;

/** What a decider speaks: the payload part of a stored event, and the trace it belongs to. */
export interface DomainEvent {
  readonly type: EventType;
  readonly data: object;
  /** W3C trace context, where it is not that of the command: work that goes on in the name of an earlier request. */
  readonly traceparent?: string;
}

export interface CommandMeta {
  readonly actor: Actor;
  /** Unique to this call of `handle`: with the attempt's number it becomes the message key. */
  readonly commandId: string;
  /** RFC 3339, of every event the command makes. */
  readonly at: string;
  readonly traceparent?: string;
}

export interface Handled<State, Event> {
  /** After the command. */
  readonly state: State;
  /** What was appended; empty when it was already so. */
  readonly events: readonly Event[];
  /** Id of the last event appended; null when nothing was. */
  readonly lastId: string | null;
}

export interface Aggregate<State> {
  readonly state: State;
  /** Of the lane's last message; 0 for a lane that does not exist. */
  readonly sequence: number;
  /** Nothing may follow. */
  readonly closed: boolean;
}

export interface CommandHandler<State, Command, Event> {
  /**
   * Loads, folds, decides, appends at the expected sequence. Commands for one id run one after the other in this process; a lost race with
   * another process is decided again on the new state. A command that turns out `already so`, or is rejected, was judged on the lane's end
   * as the leader has it.
   *
   * @throws Rejection of the decider; Fault `command.contended` after 8 lost races, `command.busy` when 64 wait or this one did for
   *   10 s; Fault of the log
   */
  handle(id: string, command: Command, meta: CommandMeta): Promise<Handled<State, Event>>;
  /** The fold up to the lane's end as the leader has it. */
  load(id: string): Promise<Aggregate<State>>;
}

export interface CommandHandlerOptions<State, Command, Event extends DomainEvent> {
  readonly log: EventLog;
  readonly decider: Decider<State, Command, Event>;
  readonly lane: (id: string) => Lane;
}

/** One handler for every decider whose events lie on one lane per id. */
export function createCommandHandler<State, Command, Event extends DomainEvent>(
  options: CommandHandlerOptions<State, Command, Event>,
): CommandHandler<State, Command, Event> {
  return new LaneCommandHandler(options);
}

class LaneCommandHandler<State, Command, Event extends DomainEvent> implements CommandHandler<State, Command, Event> {
  // A cached fold may be behind: appending checks the sequence, and every other answer is judged on a fresh one.
  readonly #aggregates = new LruCache<string, Aggregate<State>>(MAX_CACHED_AGGREGATES);
  readonly #commands = new KeyedQueue(MAX_WAITING_COMMANDS, MAX_WAIT_MS);

  constructor(private readonly options: CommandHandlerOptions<State, Command, Event>) {}

  handle(id: string, command: Command, meta: CommandMeta): Promise<Handled<State, Event>> {
    return this.#commands.run(id, () => this.#decideAndAppend(id, command, meta));
  }

  async load(id: string): Promise<Aggregate<State>> {
    const { log, lane } = this.options;
    const known = this.#aggregates.get(id) ?? { state: this.options.decider.initialState(), sequence: 0, closed: false };
    const end = await log.laneEnd(lane(id));
    if (end.sequence === known.sequence) return known;
    const behind = end.sequence > known.sequence ? known : { state: this.options.decider.initialState(), sequence: 0, closed: false };
    return this.#keep(id, await this.#foldOn(id, behind));
  }

  async #decideAndAppend(id: string, command: Command, meta: CommandMeta): Promise<Handled<State, Event>> {
    let aggregate = this.#aggregates.get(id) ?? (await this.load(id));
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const outcome = this.#decide(command, aggregate.state);
      if (outcome.events.length > 0) {
        const handled = await this.#tryAppend(id, aggregate, outcome.events, { ...meta, commandId: `${meta.commandId}.${attempt}` });
        if (handled) return handled;
      }
      const fresh = await this.load(id);
      if (outcome.events.length === 0 && fresh.sequence === aggregate.sequence) {
        if (outcome.rejection) throw outcome.rejection;
        return { state: aggregate.state, events: [], lastId: null };
      }
      aggregate = fresh;
    }
    throw new Fault('command.contended', `Lost ${MAX_ATTEMPTS} races for ${id}. Try again shortly.`, { details: { id } });
  }

  #decide(command: Command, state: State): { events: readonly Event[]; rejection: Rejection | null } {
    try {
      return { events: this.options.decider.decide(command, state), rejection: null };
    } catch (error) {
      if (error instanceof Rejection) return { events: [], rejection: error };
      throw error;
    }
  }

  /** Null: the lane has moved on. */
  async #tryAppend(
    id: string,
    aggregate: Aggregate<State>,
    decided: readonly Event[],
    meta: CommandMeta,
  ): Promise<Handled<State, Event> | null> {
    const { log, lane, decider } = this.options;
    // A decider that does not know the end of its lane must not go on after it.
    if (aggregate.closed) throw laneClosed(lane(id));
    const stored = decided.map((event) => toStored(event, meta));
    try {
      const request = { lane: lane(id), events: stored, expected: aggregate.sequence, key: meta.commandId };
      const appended = await log.append(request);
      const events = stored.map(asEvent<Event>);
      const state = events.reduce(decider.evolve, aggregate.state);
      this.#keep(id, { state, sequence: appended.sequence, closed: stored.some(({ type }) => type === 'LaneClosed') });
      return { state, events, lastId: appended.lastId };
    } catch (error) {
      if (error instanceof LaneConflict) return null;
      // Whether it was appended is unknown: the next command reads the lane again.
      this.#aggregates.delete(id);
      throw error;
    }
  }

  async #foldOn(id: string, from: Aggregate<State>): Promise<Aggregate<State>> {
    const { log, lane, decider } = this.options;
    let { state, sequence, closed } = from;
    for await (const message of log.readLane(lane(id), sequence + 1)) {
      state = foldMessage(decider, state, message);
      sequence = message.sequence;
      closed ||= isClosed({ sequence, message });
    }
    return { state, sequence, closed };
  }

  #keep(id: string, aggregate: Aggregate<State>): Aggregate<State> {
    this.#aggregates.set(id, aggregate);
    return aggregate;
  }
}

function foldMessage<State, Command, Event extends DomainEvent>(
  decider: Decider<State, Command, Event>,
  state: State,
  message: LogMessage,
): State {
  return message.events.map(asEvent<Event>).reduce(decider.evolve, state);
}

/** Deciders leave the state as it is on a type they do not know, so a lane may hold more than `Event`. */
function asEvent<Event>(stored: StoredEvent): Event {
  const { type, data, traceparent } = stored;
  return { type, data, ...(traceparent === undefined ? {} : { traceparent }) } as unknown as Event;
}

function toStored(event: DomainEvent, meta: CommandMeta): StoredEvent {
  const data = parseEventData(event.type, event.data) as unknown as JsonRecord;
  const turnId = data['turnId'];
  const traceparent = event.traceparent ?? meta.traceparent;
  return {
    type: event.type,
    v: EVENT_VERSION,
    at: meta.at,
    actor: meta.actor,
    ...(typeof turnId === 'string' && turnId !== '' ? { turnId } : {}),
    data,
    ...(traceparent ? { traceparent } : {}),
  };
}
