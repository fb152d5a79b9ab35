/** After a failure the others are asked first for so long. */
export const AVOID_MS = 5_000;

/** The replicas of one service: who is asked first, and who after that. Calls go round; who did not answer comes last for a while. */
export class Peers {
  readonly #avoidedUntil = new Map<string, number>();
  #calls = 0;

  constructor(private readonly urls: readonly string[]) {}

  /** Every replica once. */
  order(now: number): readonly string[] {
    const start = this.#calls % Math.max(1, this.urls.length);
    this.#calls += 1;
    const round = [...this.urls.slice(start), ...this.urls.slice(0, start)];
    const isAvoided = (url: string): boolean => now < (this.#avoidedUntil.get(url) ?? 0);
    return [...round.filter((url) => !isAvoided(url)), ...round.filter(isAvoided)];
  }

  failed(url: string, now: number): void {
    this.#avoidedUntil.set(url, now + AVOID_MS);
  }

  answered(url: string): void {
    this.#avoidedUntil.delete(url);
  }
}
