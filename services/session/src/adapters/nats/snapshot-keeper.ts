import { setTimeout as delay } from 'node:timers/promises';

import { isRejectionOf } from '@bullpen/errors';
import { withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import type { DueSnapshot, SessionReader, SessionSnapshots } from '../../core/ports.js';

/** A burst is over by then, and costs one snapshot. */
const LOOK_EVERY_MS = 5_000;

export interface SnapshotKeeperParts {
  readonly reader: SessionReader;
  readonly snapshots: SessionSnapshots;
  /** Whether this process keeps the index: one replica is enough. */
  readonly isActive: () => boolean;
  readonly logger: Logger;
}

/**
 * Sees to it that a session's snapshot is not far behind the session. It folds at its own pace, one session after the other, beside
 * the projections: nothing waits for it, and what it leaves undone costs a reader time and nothing else.
 */
export class SnapshotKeeper {
  #done: Promise<void> | null = null;
  #cleared = false;
  readonly #stopping = new AbortController();
  readonly #patient: Logger;

  constructor(private readonly parts: SnapshotKeeperParts) {
    this.#patient = withoutRepeats(parts.logger);
  }

  start(): void {
    this.#done ??= this.#keepRunning();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        if (this.parts.isActive()) await this.#look();
      } catch (error) {
        this.#patient.warn('snapshots of sessions cannot be kept', { error });
      }
      await delay(LOOK_EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { snapshots } = this.parts;
    if (!this.#cleared) await snapshots.forgetOtherLogs();
    this.#cleared = true;
    for (const due of await snapshots.due()) {
      if (this.#stopping.signal.aborted) return;
      await this.#keep(due);
    }
  }

  async #keep({ sessionId, events }: DueSnapshot): Promise<void> {
    const { reader, snapshots } = this.parts;
    try {
      await snapshots.save(await reader.read(sessionId), events);
    } catch (error) {
      // Deleted since.
      if (!isRejectionOf(error, 'session.not-found')) throw error;
    }
  }
}
