import type { Reason, RunnerMessage } from '@bullpen/contracts';

import { MAX_PENDING_STAGES } from '../../core/bounds.js';
import type { ObservedRunner } from '../../core/plan.js';

type Heartbeat = Extract<RunnerMessage, { kind: 'heartbeat' }>;

/** What this process knows of each runner. Lost with it: runners say it again when they reconnect. */
export class RunnerViews {
  readonly #views = new Map<string, ObservedRunner>();

  constructor(private readonly now: () => number) {}

  /** One that was never asked for is waited for from now on. */
  of(sandboxId: string): ObservedRunner {
    return this.#views.get(sandboxId) ?? this.#put(sandboxId, silentSince(this.now()));
  }

  /** Its sandbox was made just now. */
  applied(sandboxId: string): void {
    this.#put(sandboxId, { ...this.of(sandboxId), heardAt: this.now() });
  }

  /** This process was not running for a while (a machine that slept): nobody could be heard, so everybody is waited for anew. */
  waitAnew(): void {
    for (const [sandboxId, view] of this.#views) this.#put(sandboxId, { ...view, heardAt: this.now() });
  }

  heard(sandboxId: string): void {
    this.#put(sandboxId, { ...this.of(sandboxId), heardAt: this.now() });
  }

  /** A new link knows nothing of what went over the one before. */
  connected(sandboxId: string): void {
    this.#put(sandboxId, { ...this.of(sandboxId), connected: true, heardAt: this.now(), delivered: null, cancelled: null });
  }

  disconnected(sandboxId: string): void {
    const view = this.#views.get(sandboxId);
    if (view) this.#put(sandboxId, { ...view, connected: false, delivered: null });
  }

  heartbeat(sandboxId: string, { stage, since }: Heartbeat): void {
    const view = this.of(sandboxId);
    if (view.stages.at(-1)?.stage === stage) return;
    const stages = [...view.stages.slice(1 - MAX_PENDING_STAGES), { stage, since: this.#plausible(since) }];
    this.#put(sandboxId, { ...view, stages });
  }

  /** The first `count` reported stages are in the log. */
  recorded(sandboxId: string, count: number): void {
    const view = this.of(sandboxId);
    this.#put(sandboxId, { ...view, stages: view.stages.slice(count) });
  }

  failed(sandboxId: string, reason: Reason): void {
    this.#put(sandboxId, { ...this.of(sandboxId), failed: reason });
  }

  delivered(sandboxId: string, turn: { readonly turnId: string; readonly attempt: number }): void {
    this.#put(sandboxId, { ...this.of(sandboxId), delivered: { turnId: turn.turnId, attempt: turn.attempt } });
  }

  cancelled(sandboxId: string, turnId: string): void {
    this.#put(sandboxId, { ...this.of(sandboxId), cancelled: { turnId, at: this.now() } });
  }

  stopping(sandboxId: string, reason: Reason, sent: boolean): void {
    this.#put(sandboxId, { ...this.of(sandboxId), stopping: { since: this.now(), reason, sent } });
  }

  drop(sandboxId: string): void {
    this.#views.delete(sandboxId);
  }

  /** What was seen of these is old by the time they are seen again. */
  dropAll(isDropped: (sandboxId: string) => boolean): void {
    for (const sandboxId of this.#views.keys()) if (isDropped(sandboxId)) this.drop(sandboxId);
  }

  #put(sandboxId: string, view: ObservedRunner): ObservedRunner {
    this.#views.set(sandboxId, view);
    return view;
  }

  /** A sandbox's clock is not trusted to be later than ours, or to be a clock. */
  #plausible(since: string): string {
    const at = Date.parse(since);
    return new Date(Number.isNaN(at) || at > this.now() ? this.now() : at).toISOString();
  }
}

function silentSince(heardAt: number): ObservedRunner {
  return { connected: false, heardAt, stages: [], failed: null, delivered: null, cancelled: null, stopping: null };
}
