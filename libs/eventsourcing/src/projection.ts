import { setTimeout as delay } from 'node:timers/promises';

import type { StoredEvent } from '@bullpen/contracts';
import { isRejectionOf } from '@bullpen/errors';
import { eventId } from '@bullpen/event-log';
import type { EventLog, Lane, LogMessage } from '@bullpen/event-log';
import { counter, withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { MessageBuffer } from './message-buffer.js';
import type { BatchLimits } from './message-buffer.js';
import type { ProjectionFault, ProjectionPosition, ProjectionStore, ProjectionWriter } from './projection-store.js';
import type { Projector } from './projector.js';

/**
 * One transaction holds at most `maxEvents`, at least one message, so that a rebuild stays in small steps. Messages that change no row wait for
 * company: an agent's text alone makes twenty a second.
 */
const PROMPT = { maxEvents: 500, lingerMs: 100 };
/** 5,000 events a second: a burst goes first, and a rebuild of a million takes some minutes. */
const UNHURRIED = { maxEvents: 5_000, lingerMs: 1_000 };
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
/** How often a process that is not the active one looks whether it should be. */
const STANDBY_POLL_MS = 500;

const projectionFaults = counter({
  name: 'bullpen_projection_faults_total',
  help: 'Events that a read model could not take and lacks until it is rebuilt.',
  labels: { projector: { atMost: 16 } },
});

/** As a projector gets it: the event, where it lies, and its id. */
export interface ProjectedEvent extends StoredEvent {
  readonly id: string;
  readonly lane: Lane;
}

export interface ProjectionOptions<Event extends { readonly type: string }, Row> {
  readonly log: EventLog;
  /** Its events are ProjectedEvents, of the types it handles. */
  readonly projector: Projector<Event, Row>;
  readonly store: ProjectionStore<Row>;
  readonly logger: Logger;
  /** Nobody waits for these rows: they are behind by a second, by more after a burst, and leave the time to those that somebody waits for. */
  readonly isUnhurried?: boolean;
}

export interface ProjectionStatus {
  /** starting: not open yet, or waiting out an outage; standby: another process writes; stopped: for good. */
  readonly state: 'starting' | 'standby' | 'active' | 'stopped';
  /** Committed. */
  readonly sequence: number;
  /** False once an event threw, until rebuilt, and when the position was moved by somebody else. */
  readonly healthy: boolean;
}

export interface Projection {
  readonly status: ProjectionStatus;
  /** Ends after the batch at hand. Repeating it does nothing. */
  stop(): Promise<void>;
}

/**
 * Keeps a read model up to date from the log: rows and position commit together, each event once and in order. Waits out outages of store and
 * log, with bounded pauses, and goes on from the committed position. Another epoch, or a position above the log's end, rebuilds. An event
 * that throws, or that makes a row which the store never takes, is recorded with the batch and passed over.
 */
export function runProjection<Event extends { readonly type: string }, Row>(options: ProjectionOptions<Event, Row>): Projection {
  const run = new ProjectionRun(options);
  return {
    get status() {
      return run.status;
    },
    stop: () => run.stop(),
  };
}

class ProjectionRun<Event extends { readonly type: string }, Row> {
  status: ProjectionStatus = { state: 'starting', sequence: 0, healthy: true };
  readonly #stopping = new AbortController();
  /** Null: all. */
  readonly #handled: ReadonlySet<string> | null;
  readonly #done: Promise<void>;
  /** An outage is tried out in steps of two seconds, and is one line all the same. */
  readonly #patient: Logger;
  #buffer: MessageBuffer | null = null;

  constructor(private readonly options: ProjectionOptions<Event, Row>) {
    this.#patient = withoutRepeats(options.logger);
    const { handles } = options.projector;
    this.#handled = handles === 'all' ? null : new Set(handles);
    this.#done = this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#buffer?.close();
    await this.#done;
  }

  async #keepRunning(): Promise<void> {
    const { projector } = this.options;
    const { signal } = this.#stopping;
    let retryMs = FIRST_RETRY_MS;
    while (!signal.aborted && this.status.state !== 'stopped') {
      try {
        await this.#runWhileOpen(() => (retryMs = FIRST_RETRY_MS));
      } catch (error) {
        this.#now({ state: 'starting' });
        if (!signal.aborted) this.#patient.warn('projection waits', { projector: projector.name, retryMs, error });
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      }
    }
    this.#now({ state: 'stopped' });
  }

  async #runWhileOpen(onProgress: () => void): Promise<void> {
    const { store, projector } = this.options;
    const { signal } = this.#stopping;
    const writer = await store.open(projector.name);
    if (!writer) {
      this.#now({ state: 'standby' });
      await delay(STANDBY_POLL_MS, undefined, { signal }).catch(() => undefined);
      return;
    }
    try {
      const position = await this.#start(writer);
      await this.#follow(writer, position, onProgress);
    } finally {
      await writer.close();
    }
  }

  async #start(writer: ProjectionWriter<Row>): Promise<ProjectionPosition> {
    const { log, projector, logger } = this.options;
    const { position } = writer;
    const valid = position.epoch === log.epoch && position.sequence <= (await log.lastSequence());
    if (!valid) logger.info('projection rebuilds', { projector: projector.name, from: position, epoch: log.epoch });
    const start = valid ? position : await writer.reset(log.epoch);
    const { faults } = writer;
    if (valid && faults > 0) logger.error('projection lacks events that it could not apply', { projector: projector.name, faults });
    this.#now({ state: 'active', sequence: start.sequence, healthy: !valid || writer.faults === 0 });
    return start;
  }

  async #follow(writer: ProjectionWriter<Row>, start: ProjectionPosition, onProgress: () => void): Promise<void> {
    const { log } = this.options;
    const buffer = new MessageBuffer(this.#limits());
    this.#buffer = buffer;
    // `stop` came while the store was being opened, and found no buffer to close.
    if (this.#stopping.signal.aborted) buffer.close();
    const tail = await log.tail({ fromSequence: start.sequence + 1 }, (message) => buffer.push(message));
    try {
      let position = start;
      for (let batch = await buffer.take(); batch.length > 0 && !this.#stopping.signal.aborted; batch = await buffer.take()) {
        const next = await this.#project(writer, position, batch);
        if (!next) return;
        position = next;
        onProgress();
      }
    } finally {
      buffer.close();
      await tail.stop();
    }
  }

  /** Null: the position is not where this process left it. */
  async #project(
    writer: ProjectionWriter<Row>,
    from: ProjectionPosition,
    messages: readonly LogMessage[],
  ): Promise<ProjectionPosition | null> {
    try {
      return await this.#commit(writer, { from, messages, unstorable: NONE });
    } catch (error) {
      if (!isRejectionOf(error, 'projection.not-storable')) throw error;
      return this.#projectAround(writer, { from, messages, unstorable: NONE }, String(error));
    }
  }

  /** Something in these messages cannot be stored. What surrounds it is, by halves. */
  async #projectAround(writer: ProjectionWriter<Row>, part: Part, why: string): Promise<ProjectionPosition | null> {
    const { from, messages } = part;
    if (messages.length > 1) {
      const middle = Math.ceil(messages.length / 2);
      const between = await this.#project(writer, from, messages.slice(0, middle));
      return between && this.#project(writer, between, messages.slice(middle));
    }
    const events = messages.flatMap((message) => this.#eventsOf(message));
    for (const { id } of events.length > 1 ? events : []) {
      try {
        return await this.#commit(writer, { ...part, unstorable: new Map([[id, why]]) });
      } catch (error) {
        if (!isRejectionOf(error, 'projection.not-storable')) throw error;
      }
    }
    return this.#commit(writer, { ...part, unstorable: new Map(events.map(({ id }) => [id, why])) });
  }

  async #commit(writer: ProjectionWriter<Row>, { from, messages, unstorable }: Part): Promise<ProjectionPosition | null> {
    const { logger, projector } = this.options;
    const events = messages.flatMap((message) => this.#eventsOf(message));
    const { rows, faults } = await this.#applyAll(writer, events, unstorable);
    const to = { epoch: from.epoch, sequence: messages.at(-1)?.sequence ?? from.sequence };
    if (!(await writer.commit({ from, to, rows, faults }))) {
      logger.error('projection stops: its position was moved by another writer', { projector: projector.name, from });
      this.#now({ state: 'stopped', healthy: false });
      return null;
    }
    projectionFaults.add({ projector: projector.name }, faults.length);
    for (const fault of faults) logger.error('projection cannot apply an event', { projector: projector.name, ...fault });
    this.#now({ sequence: to.sequence, ...(faults.length > 0 ? { healthy: false } : {}) });
    return to;
  }

  async #applyAll(
    writer: ProjectionWriter<Row>,
    events: readonly (ProjectedEvent & Event)[],
    unstorable: Part['unstorable'],
  ): Promise<{ rows: ReadonlyMap<string, Row | null>; faults: ProjectionFault[] }> {
    const { projector } = this.options;
    const faults: ProjectionFault[] = [];
    const targets = events.flatMap((event) => {
      const rowId = attempt(() => projector.rowId(event));
      const error = rowId.error ?? unstorable.get(event.id) ?? null;
      if (rowId.error === null && error === null) return [{ event, rowId: rowId.value }];
      faults.push({ eventId: event.id, type: event.type, rowId: rowId.error === null ? rowId.value : '', error: String(error) });
      return [];
    });
    const before = targets.length > 0 ? await writer.load([...new Set(targets.map(({ rowId }) => rowId))]) : new Map<string, Row>();
    const rows = new Map<string, Row | null>();
    for (const { event, rowId } of targets) {
      const current = rows.has(rowId) ? (rows.get(rowId) ?? null) : (before.get(rowId) ?? null);
      const applied = attempt(() => projector.apply(current, event));
      if (applied.error === null) rows.set(rowId, applied.value);
      else faults.push({ eventId: event.id, type: event.type, rowId, error: applied.error });
    }
    return { rows, faults };
  }

  #eventsOf(message: LogMessage): (ProjectedEvent & Event)[] {
    return message.events.flatMap((event, index) => {
      if (!this.#handles(event.type)) return [];
      const projected: ProjectedEvent = { ...event, id: eventId(message.sequence, index), lane: message.lane };
      return [projected as ProjectedEvent & Event];
    });
  }

  #limits(): BatchLimits {
    if (this.options.isUnhurried) return { ...UNHURRIED, isUrgent: null };
    return { ...PROMPT, isUrgent: ({ events }) => events.some(({ type }) => this.#handles(type)) };
  }

  #handles(type: string): boolean {
    return this.#handled === null || this.#handled.has(type);
  }

  #now(change: Partial<ProjectionStatus>): void {
    this.status = { ...this.status, ...change };
  }
}

/** What is projected in one transaction. */
interface Part {
  readonly from: ProjectionPosition;
  readonly messages: readonly LogMessage[];
  /** Event ids that are passed over, and why. */
  readonly unstorable: ReadonlyMap<string, string>;
}

const NONE: ReadonlyMap<string, string> = new Map();

type Attempt<T> = { readonly error: null; readonly value: T } | { readonly error: string };

function attempt<T>(work: () => T): Attempt<T> {
  try {
    return { error: null, value: work() };
  } catch (error) {
    return { error: String(error) };
  }
}
