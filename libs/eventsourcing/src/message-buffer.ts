import type { LogMessage } from '@bullpen/event-log';

/** Messages that change nothing wait so long for company: each batch is a transaction, and an agent's text alone makes twenty a second. */
const LINGER_MS = 100;

/**
 * Between the tail, which pushes, and a projection, which takes what arrived meanwhile. `push` resolves only when there is room for more, so
 * that the tail waits for a slow store.
 */
export class MessageBuffer {
  #messages: LogMessage[] = [];
  #events = 0;
  #closed = false;
  /** Set while messages wait that change nothing; they are due when it fires. */
  #lingering: NodeJS.Timeout | null = null;
  #isDue = false;
  #wake: (() => void)[] = [];

  /** A message that changes something is taken at once, with all that came before it. */
  constructor(
    private readonly maxEvents: number,
    private readonly changesSomething: (message: LogMessage) => boolean,
  ) {}

  async push(message: LogMessage): Promise<void> {
    this.#messages.push(message);
    this.#events += message.events.length;
    if (this.changesSomething(message) || this.#events >= this.maxEvents) this.#due();
    else this.#lingering ??= setTimeout(() => this.#due(), LINGER_MS);
    while (this.#events >= this.maxEvents && !this.#closed) await this.#change();
  }

  /** Whole messages, in order, up to `maxEvents` events or one message; waits until some are due. Empty once closed. */
  async take(): Promise<readonly LogMessage[]> {
    while (!this.#isDue && !this.#closed) await this.#change();
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
    this.#isDue = this.#messages.length > 0;
    this.#wakeAll();
    return batch;
  }

  close(): void {
    this.#closed = true;
    this.#due();
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
