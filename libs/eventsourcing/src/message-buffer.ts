import type { LogMessage } from '@bullpen/event-log';

/**
 * Between the tail, which pushes, and a projection, which takes what arrived meanwhile. `push` resolves only when there is room for more, so
 * that the tail waits for a slow store.
 */
export class MessageBuffer {
  #messages: LogMessage[] = [];
  #events = 0;
  #closed = false;
  #wake: (() => void)[] = [];

  constructor(private readonly maxEvents: number) {}

  async push(message: LogMessage): Promise<void> {
    this.#messages.push(message);
    this.#events += message.events.length;
    this.#wakeAll();
    while (this.#events >= this.maxEvents && !this.#closed) await this.#change();
  }

  /** Whole messages, in order, up to `maxEvents` events or one message; waits for the first. Empty once closed. */
  async take(): Promise<readonly LogMessage[]> {
    while (this.#messages.length === 0 && !this.#closed) await this.#change();
    if (this.#closed) return [];
    const batch: LogMessage[] = [];
    let events = 0;
    for (const message of this.#messages) {
      if (batch.length > 0 && events + message.events.length > this.maxEvents) break;
      batch.push(message);
      events += message.events.length;
    }
    this.#messages = this.#messages.slice(batch.length);
    this.#events -= events;
    this.#wakeAll();
    return batch;
  }

  close(): void {
    this.#closed = true;
    this.#wakeAll();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #wakeAll(): void {
    const waiting = this.#wake;
    this.#wake = [];
    for (const wake of waiting) wake();
  }
}
