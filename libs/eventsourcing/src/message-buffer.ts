import type { LogMessage } from '@bullpen/event-log';

export interface BatchLimits {
  /** Of a batch, and of what waits. */
  readonly maxEvents: number;
  /** How long a message that is not urgent waits for company. */
  readonly lingerMs: number;
  /** Taken at once, with all that came before it. Null: nothing ever is, `lingerMs` lies between two batches, and the tail waits meanwhile. */
  readonly isUrgent: ((message: LogMessage) => boolean) | null;
}

/**
 * Between the tail, which pushes, and a projection, which takes what arrived meanwhile. `push` resolves only when there is room for more, so
 * that the tail waits for a slow store.
 */
export class MessageBuffer {
  #messages: LogMessage[] = [];
  #events = 0;
  #closed = false;
  /** Set while messages wait of which none is urgent; they are due when it fires. */
  #lingering: NodeJS.Timeout | null = null;
  #isDue = false;
  #wake: (() => void)[] = [];

  constructor(private readonly limits: BatchLimits) {}

  async push(message: LogMessage): Promise<void> {
    this.#messages.push(message);
    this.#events += message.events.length;
    const { maxEvents, isUrgent } = this.limits;
    if (isUrgent !== null && (isUrgent(message) || this.#events >= maxEvents)) this.#due();
    else this.#linger();
    while (this.#events >= maxEvents && !this.#closed) await this.#change();
  }

  /** Whole messages, in order, up to `maxEvents` events or one message; waits until some are due. Empty once closed. */
  async take(): Promise<readonly LogMessage[]> {
    while (!this.#isDue && !this.#closed) await this.#change();
    if (this.#closed) return [];
    const batch: LogMessage[] = [];
    let events = 0;
    for (const message of this.#messages) {
      if (batch.length > 0 && events + message.events.length > this.limits.maxEvents) break;
      batch.push(message);
      events += message.events.length;
    }
    this.#messages = this.#messages.slice(batch.length);
    this.#events -= events;
    this.#isDue = this.#messages.length > 0 && this.limits.isUrgent !== null;
    if (this.#messages.length > 0 && !this.#isDue) this.#linger();
    this.#wakeAll();
    return batch;
  }

  close(): void {
    this.#closed = true;
    this.#due();
  }

  #linger(): void {
    this.#lingering ??= setTimeout(() => this.#due(), this.limits.lingerMs);
  }

  #due(): void {
    if (this.#lingering) clearTimeout(this.#lingering);
    this.#lingering = null;
    this.#isDue = true;
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
