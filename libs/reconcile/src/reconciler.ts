import { Fault, Rejection } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

/** What a step wants next: nothing until woken (null), or to run again after so many milliseconds (0: at once). */
export interface StepResult {
  readonly againAfterMs: number | null;
}

export interface ReconcilerOptions {
  /** For logs: `sandboxes`. */
  readonly name: string;
  /**
   * Looks at the key's desired and observed state as they are now, and takes one step. A Fault is retried with backoff; a Rejection
   * ends this step only: the next wake-up or resync looks again; anything else is a bug, logged as an error and retried like a Fault.
   */
  readonly step: (key: string, signal: AbortSignal) => Promise<StepResult>;
  /** Every key there is, asked at each resync. */
  readonly keys: () => Iterable<string>;
  readonly logger: Logger;
  readonly resyncMs?: number;
  /** Keys worked on at the same time. */
  readonly concurrency?: number;
  readonly backoff?: Backoff;
}

export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** How often each outcome was seen, since the start. */
export interface ReconcilerCounts {
  readonly steps: number;
  readonly faults: number;
  readonly rejections: number;
  readonly bugs: number;
}

/** A level-based work loop by key: wake-ups say that something may have changed, never what. */
export interface Reconciler {
  /**
   * Asks for a step. Wake-ups of a waiting key count once; one during a step leads to exactly one more after it. A key that backs off
   * keeps its delay. Nothing after `stop`.
   */
  wake(key: string): void;
  readonly counts: ReconcilerCounts;
  /** Starts no further step, aborts the signal of those that run, and resolves when they ended. May be called again. */
  stop(): Promise<void>;
}

export const DEFAULT_RESYNC_MS = 30_000;
export const DEFAULT_CONCURRENCY = 16;
export const DEFAULT_BACKOFF: Backoff = { firstMs: 100, maxMs: 5_000 };
/** Timers cannot be set further ahead; the resync looks again long before. */
const MAX_DELAY_MS = 24 * 60 * 60 * 1_000;

/** Milliseconds before try number `failures` + 1: doubles from `firstMs`, never above `maxMs`. */
export function backoffMs(failures: number, { firstMs, maxMs }: Backoff): number {
  return Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1));
}

/**
 * Starts the loop. One step per key at a time, so steps of one key see each other's effects; different keys run side by side up to
 * `concurrency`, in the order they were woken. Every key is looked at once per `resyncMs` even when no wake-up came.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  return new KeyedReconciler(options);
}

interface KeyState {
  phase: 'idle' | 'queued' | 'running';
  /** Woken while it ran. */
  dirty: boolean;
  /** Failures in a row. */
  failures: number;
  /** Set while a step is due later. */
  timer: NodeJS.Timeout | null;
  backingOff: boolean;
}

class KeyedReconciler implements Reconciler {
  readonly counts = { steps: 0, faults: 0, rejections: 0, bugs: 0 };
  private readonly states = new Map<string, KeyState>();
  private readonly queue: string[] = [];
  private readonly running = new Set<Promise<void>>();
  private readonly abort = new AbortController();
  private readonly resync: NodeJS.Timeout;
  private readonly concurrency: number;
  private readonly backoff: Backoff;

  constructor(private readonly options: ReconcilerOptions) {
    this.concurrency = options.concurrency ?? DEFAULT_CONCURRENCY;
    this.backoff = options.backoff ?? DEFAULT_BACKOFF;
    this.resync = setInterval(() => this.wakeAll(), options.resyncMs ?? DEFAULT_RESYNC_MS);
    this.resync.unref();
  }

  wake(key: string): void {
    if (this.abort.signal.aborted) return;
    const state = this.stateOf(key);
    if (state.backingOff) return;
    if (state.phase === 'running') state.dirty = true;
    if (state.phase === 'idle') this.enqueue(key, state);
  }

  async stop(): Promise<void> {
    this.abort.abort();
    clearInterval(this.resync);
    for (const state of this.states.values()) clearTimer(state);
    this.queue.length = 0;
    await Promise.all(this.running);
  }

  private wakeAll(): void {
    for (const key of this.options.keys()) this.wake(key);
  }

  private stateOf(key: string): KeyState {
    const known = this.states.get(key);
    if (known) return known;
    const created: KeyState = { phase: 'idle', dirty: false, failures: 0, timer: null, backingOff: false };
    this.states.set(key, created);
    return created;
  }

  private enqueue(key: string, state: KeyState): void {
    clearTimer(state);
    state.phase = 'queued';
    this.queue.push(key);
    this.fill();
  }

  private fill(): void {
    while (this.running.size < this.concurrency && !this.abort.signal.aborted) {
      const key = this.queue.shift();
      if (key === undefined) return;
      const work = this.runStep(key).finally(() => {
        this.running.delete(work);
        this.fill();
      });
      this.running.add(work);
    }
  }

  private async runStep(key: string): Promise<void> {
    const state = this.stateOf(key);
    state.phase = 'running';
    state.dirty = false;
    let againAfterMs: number | null;
    try {
      this.counts.steps += 1;
      ({ againAfterMs } = await this.options.step(key, this.abort.signal));
      state.failures = 0;
    } catch (error) {
      againAfterMs = this.delayAfter(error, key, state);
      state.backingOff = againAfterMs !== null;
    }
    this.settle(key, state, againAfterMs);
  }

  /** Milliseconds to back off; null when the step is not to be tried again by itself. */
  private delayAfter(error: unknown, key: string, state: KeyState): number | null {
    const { logger, name } = this.options;
    if (this.abort.signal.aborted) return null;
    if (error instanceof Rejection) {
      this.counts.rejections += 1;
      state.failures = 0;
      logger.warn('step rejected', { reconciler: name, subject: key, error });
      return null;
    }
    state.failures += 1;
    const wait = backoffMs(state.failures, this.backoff);
    if (error instanceof Fault) {
      this.counts.faults += 1;
      const retryInMs = Math.min(this.backoff.maxMs, Math.max(wait, error.retryAfterMs));
      logger.warn('step failed', { reconciler: name, subject: key, failures: state.failures, retryInMs, error });
      return retryInMs;
    }
    this.counts.bugs += 1;
    logger.error('step broke', { reconciler: name, subject: key, failures: state.failures, retryInMs: wait, error });
    return wait;
  }

  private settle(key: string, state: KeyState, againAfterMs: number | null): void {
    state.phase = 'idle';
    if (this.abort.signal.aborted) return;
    if (!state.backingOff && (state.dirty || againAfterMs === 0)) return this.enqueue(key, state);
    if (againAfterMs === null) {
      if (state.failures === 0) this.states.delete(key);
      return;
    }
    state.timer = setTimeout(
      () => {
        state.timer = null;
        state.backingOff = false;
        this.wake(key);
      },
      Math.min(againAfterMs, MAX_DELAY_MS),
    );
    state.timer.unref();
  }
}

function clearTimer(state: KeyState): void {
  if (state.timer) clearTimeout(state.timer);
  state.timer = null;
}
