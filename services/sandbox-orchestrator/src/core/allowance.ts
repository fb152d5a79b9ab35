/** So much per second on average, so much at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What one sender may still send: filled at the rate, never above the burst; what is taken too much is waited for. */
export class Allowance {
  #left: number;

  constructor(
    private readonly rate: Rate,
    private filledAt: number,
  ) {
    this.#left = rate.burst;
  }

  /** Takes, also what is not there yet. @returns milliseconds until nothing is owed; 0: go on */
  take(amount: number, now: number): number {
    const elapsedMs = Math.max(0, now - this.filledAt);
    this.filledAt = now;
    this.#left = Math.min(this.rate.burst, this.#left + (elapsedMs * this.rate.perSecond) / 1_000) - amount;
    return this.#left >= 0 ? 0 : Math.ceil((-this.#left * 1_000) / this.rate.perSecond);
  }
}
