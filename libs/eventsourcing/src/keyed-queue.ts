import { Fault } from '@bullpen/errors';

/** Runs the work of one key one after the other; different keys do not wait for each other. */
export class KeyedQueue {
  readonly #waiting = new Map<string, { last: Promise<unknown>; length: number }>();

  constructor(
    private readonly maxWaiting: number,
    private readonly maxWaitMs: number,
  ) {}

  /**
   * @throws Fault `command.busy` when `maxWaiting` pieces of work of this key wait already, or this one waited for `maxWaitMs`; it is not
   *   begun then
   */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const line = this.#waiting.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (line.length >= this.maxWaiting) throw busy(key, `${this.maxWaiting} commands for ${key} wait already.`);
    const deadline = Date.now() + this.maxWaitMs;
    const result = line.last.then(() => {
      if (Date.now() > deadline) throw busy(key, `The commands before this one for ${key} took too long.`);
      return work();
    });
    this.#waiting.set(key, line);
    line.last = result.catch(() => undefined);
    line.length += 1;
    try {
      return await result;
    } finally {
      line.length -= 1;
      if (line.length === 0) this.#waiting.delete(key);
    }
  }
}

function busy(key: string, what: string): Fault {
  return new Fault('command.busy', `${what} Try again shortly.`, { details: { id: key } });
}
