import type { StoredEvent } from '@bullpen/contracts';
import { MAX_APPEND_BYTES, MAX_EVENTS_PER_APPEND } from '@bullpen/contracts';
import { assert, Fault, Rejection } from '@bullpen/errors';

import { laneClosed } from './closed-lane.js';
import { LaneConflict } from './event-log.js';
import type { Appended, EventLog, FrameRange } from './event-log.js';
import { agentLane, followAgentLane, readAgentLane, superseded } from './generations.js';
import type { AgentLaneState, Generation } from './generations.js';

/** Waiting for the append that is in flight; a runner that is further ahead is told to wait by not reading it. */
const MAX_WAITING_FRAMES = 4_096;
/** Appends that find the lane moved on, before giving up. */
const MAX_CONFLICTS = 16;
/** The array's brackets; each event also costs its comma. */
const ARRAY_BYTES = 2;

export interface Frame {
  readonly n: number;
  readonly event: StoredEvent;
}

/** The agent lane as the holder of one generation writes it. One append in flight. */
export interface FrameLane {
  /** The last frame of this generation that is in the log. */
  readonly appendedThrough: number;
  /**
   * Frames in order. Those at or below `appendedThrough`, and those already waiting, are dropped. What arrives while an append is in
   * flight goes together. Resolves to `appendedThrough` once all these frames are in the log.
   *
   * @throws Rejection `frames.gap`, `frame.too-large`, `frames.too-many-waiting`, `generation.superseded`; Fault `log.unavailable`,
   *   after which the same frames may be submitted again
   */
  submit(frames: readonly Frame[]): Promise<number>;
  /** The platform's own events; they carry the last frame range on. @throws as `submit` */
  appendOwn(events: readonly StoredEvent[], key: string): Promise<Appended>;
}

/**
 * Opens the agent lane for the generation that holds it; reads the whole lane.
 *
 * @throws Rejection `generation.superseded` when another generation holds it, `generation.unknown` when this one never started
 */
export async function openFrameLane(log: EventLog, generation: Generation): Promise<FrameLane> {
  const state = await readAgentLane(log, generation.sessionId);
  requireHeld(state, generation);
  return new GenerationFrameLane(log, generation, state);
}

interface WaitingFrame extends Frame {
  readonly bytes: number;
}

interface SubmitWaiter {
  readonly through: number;
  readonly resolve: (appendedThrough: number) => void;
  readonly reject: (error: unknown) => void;
}

class GenerationFrameLane implements FrameLane {
  #appendedThrough: number;
  #queue: WaitingFrame[] = [];
  #waiters: SubmitWaiter[] = [];
  #pumping = false;
  /** Appends go one after the other: frames and own events alike. */
  #turn: Promise<unknown> = Promise.resolve();
  /** After a failed append the lane may hold more than we know. */
  #uncertain = false;

  constructor(
    private readonly log: EventLog,
    private readonly generation: Generation,
    private state: AgentLaneState,
  ) {
    this.#appendedThrough = framesOf(state, generation);
  }

  get appendedThrough(): number {
    return this.#appendedThrough;
  }

  async submit(frames: readonly Frame[]): Promise<number> {
    const accepted = this.#queue.at(-1)?.n ?? this.#appendedThrough;
    const fresh = frames.filter(({ n }) => n > accepted);
    requireNoGap(fresh, accepted);
    if (this.#queue.length + fresh.length > MAX_WAITING_FRAMES) throw tooManyWaiting(this.#queue.length);
    const waiting = fresh.map(measure);
    const through = frames.at(-1)?.n ?? 0;
    if (through <= this.#appendedThrough) return this.#appendedThrough;
    this.#queue.push(...waiting);
    return new Promise((resolve, reject) => {
      this.#waiters.push({ through, resolve, reject });
      void this.#pump();
    });
  }

  async appendOwn(events: readonly StoredEvent[], key: string): Promise<Appended> {
    const appended = await this.#inTurn(() => this.#append(() => ({ events, key, frames: this.state.frames })));
    assert(appended !== null, 'own events are never found to be nothing');
    return appended;
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#queue.length > 0) await this.#inTurn(() => this.#appendFrames());
    } catch (error) {
      this.#failWaiting(error);
    } finally {
      this.#pumping = false;
    }
  }

  async #appendFrames(): Promise<void> {
    await this.#append(() => {
      const batch = nextBatch(this.#queue);
      const [first, last] = [batch[0], batch.at(-1)];
      if (first === undefined || last === undefined) return null;
      const { sandboxId, generation } = this.generation;
      const frames: FrameRange = { sandboxId, generation, first: first.n, last: last.n };
      return { events: batch.map(({ event }) => event), key: `${sandboxId}:${generation}:${last.n}`, frames };
    });
  }

  /** `make` is asked again after a conflict: frames that turned out to be in the log are gone by then; null when all are. */
  async #append(make: () => LaneAppend | null): Promise<Appended | null> {
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      if (this.#uncertain || conflicts > 0) await this.#synchronise();
      const request = make();
      if (request === null) return null;
      const { frames, ...rest } = request;
      try {
        const lane = agentLane(this.generation.sessionId);
        const appended = await this.log.append({ lane, expected: this.state.sequence, ...rest, frames: frames ?? undefined });
        this.#advance({ ...this.state, sequence: appended.sequence, frames });
        return appended;
      } catch (error) {
        this.#uncertain = true;
        if (!(error instanceof LaneConflict)) throw error;
      }
    }
    throw new Fault('log.contended', `Others keep writing the agent lane of ${this.generation.sessionId}. Repeat the request.`);
  }

  async #synchronise(): Promise<void> {
    const state = await followAgentLane(this.log, this.generation.sessionId, this.state);
    requireHeld(state, this.generation);
    this.#advance(state);
    this.#uncertain = false;
  }

  #advance(state: AgentLaneState): void {
    this.state = state;
    this.#appendedThrough = Math.max(this.#appendedThrough, framesOf(state, this.generation));
    this.#queue = this.#queue.filter(({ n }) => n > this.#appendedThrough);
    const done = this.#waiters.filter(({ through }) => through <= this.#appendedThrough);
    this.#waiters = this.#waiters.filter(({ through }) => through > this.#appendedThrough);
    for (const waiter of done) waiter.resolve(this.#appendedThrough);
  }

  /** The runner still spools what is not acknowledged: it comes again. */
  #failWaiting(error: unknown): void {
    const failed = this.#waiters;
    this.#waiters = [];
    this.#queue = [];
    for (const waiter of failed) waiter.reject(error);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}

interface LaneAppend {
  readonly events: readonly StoredEvent[];
  readonly key: string;
  readonly frames: FrameRange | null;
}

function framesOf({ frames }: AgentLaneState, { sandboxId, generation }: Generation): number {
  return frames?.sandboxId === sandboxId && frames.generation === generation ? frames.last : 0;
}

function requireHeld({ holder, closed }: AgentLaneState, generation: Generation): void {
  if (closed) throw laneClosed(agentLane(generation.sessionId));
  if (holder !== null && holder.generation === generation.generation && holder.sandboxId === generation.sandboxId) return;
  if (holder !== null && holder.generation >= generation.generation) throw superseded(generation, holder);
  const { sessionId, sandboxId } = generation;
  const message = `Generation ${generation.generation} of ${sessionId} never started: GenerationStarted comes first.`;
  throw new Rejection('generation.unknown', message, { sessionId, sandboxId, generation: generation.generation });
}

function requireNoGap(fresh: readonly Frame[], accepted: number): void {
  for (const [index, { n }] of fresh.entries()) {
    const expected = accepted + 1 + index;
    if (n !== expected)
      throw new Rejection('frames.gap', `Frame ${n} came where ${expected} was due. Send from ${expected} on.`, {
        expected,
        got: n,
      });
  }
}

function measure({ n, event }: Frame): WaitingFrame {
  const bytes = Buffer.byteLength(JSON.stringify(event)) + 1;
  if (bytes + ARRAY_BYTES <= MAX_APPEND_BYTES) return { n, event, bytes };
  throw new Rejection(
    'frame.too-large',
    `Frame ${n} has ${bytes} bytes; ${MAX_APPEND_BYTES} are allowed. Append FrameRejected in its place.`,
    {
      n,
      bytes,
    },
  );
}

function nextBatch(queue: readonly WaitingFrame[]): readonly WaitingFrame[] {
  let bytes = ARRAY_BYTES;
  let count = 0;
  for (const frame of queue.slice(0, MAX_EVENTS_PER_APPEND)) {
    bytes += frame.bytes;
    if (bytes > MAX_APPEND_BYTES) break;
    count += 1;
  }
  return queue.slice(0, count);
}

function tooManyWaiting(waiting: number): Rejection {
  return new Rejection('frames.too-many-waiting', `${waiting} frames wait for the log. Await the earlier submit first.`, {
    limit: MAX_WAITING_FRAMES,
  });
}
