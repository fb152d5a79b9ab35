import { setTimeout as delay } from 'node:timers/promises';

import { FolderObjectStore, connectEventLog, connectLaneEraser } from '@bullpen/event-log';
import type { EventLog, Lane, LaneEraser, LogMessage, Tail } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import { ObjectReferences } from './object-references.js';

const CATCH_UP_TIMEOUT_MS = 10 * 60_000;
const RETRY_FIRST_MS = 500;
const RETRY_MAX_MS = 30_000;
/** An object that no event names is an upload under way for so long. */
const ORPHAN_AGE_MS = 60 * 60_000;
const SWEEP_INTERVAL_MS = 60 * 60_000;

export interface EraserOptions {
  readonly url: string;
  /** Of the NATS user `admin`: nobody else may take messages out of the log. */
  readonly password: string;
  readonly objectsFolder: string;
  readonly logger: Logger;
}

export interface Eraser {
  stop(): Promise<void>;
}

interface ClosedLane {
  readonly lane: Lane;
  readonly sequence: number;
  readonly closedAt: number;
}

/**
 * Erases what lies before the last event of closed lanes, and the objects that were named only there. It keeps no memory of its own: at every
 * start it reads the log anew and finds what is left to do, so it may be killed anywhere. Without the log it waits for it.
 */
export async function startEraser(options: EraserOptions): Promise<Eraser> {
  const { url, password, logger } = options;
  const log = await connectEventLog({ url, user: 'admin', password, logger });
  try {
    const lanes = await connectLaneEraser({ url, password, logger });
    const eraser = new LogFollowingEraser(log, lanes, options);
    eraser.start();
    return {
      stop: async () => {
        await eraser.stop();
        await lanes.close();
        await log.close();
      },
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

class LogFollowingEraser implements Eraser {
  readonly #references = new ObjectReferences();
  readonly #closed: ClosedLane[] = [];
  readonly #objects: FolderObjectStore;
  readonly #stopping = new AbortController();
  #tail: Tail | null = null;
  #wake: () => void = () => undefined;
  #done: Promise<void> = Promise.resolve();
  #sweptAt = 0;

  constructor(
    private readonly log: EventLog,
    private readonly lanes: LaneEraser,
    private readonly options: EraserOptions,
  ) {
    this.#objects = new FolderObjectStore(options.objectsFolder);
  }

  start(): void {
    this.#done = this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#tail?.stop();
    await this.#done;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    for (let retryMs = RETRY_FIRST_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, RETRY_MAX_MS)) {
      try {
        await this.#follow();
      } catch (error) {
        if (!signal.aborted) this.options.logger.warn('erasure waits', { retryMs, error });
        await delay(retryMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping;
    this.#closed.length = 0;
    const end = await this.log.lastSequence();
    this.#tail = await this.log.tail({ fromSequence: 1 }, (message) => this.#take(message));
    try {
      signal.throwIfAborted();
      // Only who has read everything knows that nobody else names an object.
      await this.#tail.reached(end, CATCH_UP_TIMEOUT_MS);
      while (!signal.aborted) await this.#step();
    } finally {
      await this.#tail.stop();
    }
  }

  #take({ lane, sequence, events }: LogMessage): void {
    if (lane.entity === 'session') this.#references.add(lane.id, events);
    const closing = events.find(({ type }) => type === 'LaneClosed');
    if (!closing) return;
    this.#closed.push({ lane, sequence, closedAt: Date.parse(closing.at) });
    this.#wake();
  }

  async #step(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    const [next] = this.#closed;
    if (next) {
      await this.#erase(next);
      this.#closed.shift();
      return;
    }
    if (Date.now() - this.#sweptAt >= SWEEP_INTERVAL_MS) await this.#sweep();
    const { signal } = this.#stopping;
    if (!signal.aborted) await Promise.race([woken, delay(SWEEP_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined)]);
  }

  /** Objects first: the events that name them are what says which they are. */
  async #erase({ lane, sequence, closedAt }: ClosedLane): Promise<void> {
    if (lane.entity === 'session' && lane.name === 'agent') await this.#removeObjects(lane.id, closedAt);
    const messages = await this.lanes.eraseBefore(lane, sequence, this.#stopping.signal);
    if (messages > 0) this.options.logger.info('lane erased', { entity: lane.entity, id: lane.id, lane: lane.name, messages });
  }

  /** One that was put again after the session ended is somebody else's by now; if it is not, the sweep finds it. */
  async #removeObjects(sessionId: string, closedAt: number): Promise<void> {
    for (const sha256 of this.#references.remove(sessionId)) await this.#objects.removeUntouched(sha256, closedAt);
  }

  /** What was uploaded and never named, and what could not be removed at the end of its session. */
  async #sweep(): Promise<void> {
    const since = Date.now() - ORPHAN_AGE_MS;
    let removed = 0;
    for await (const sha256 of this.#objects.untouchedSince(since)) {
      if (this.#references.isNamed(sha256)) continue;
      if (await this.#objects.removeUntouched(sha256, since)) removed += 1;
    }
    this.#sweptAt = Date.now();
    if (removed > 0) this.options.logger.info('objects that nobody names removed', { objects: removed });
  }
}
