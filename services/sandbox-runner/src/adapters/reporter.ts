import type { TurnFrame } from '../core/turn-frames.js';
import type { RunnerLink } from './link.js';
import type { Spool } from './spool.js';

/**
 * The one way for frames of a turn to the log. In the order of the calls: objects are stored first, then the frames that name
 * them are on disk. Waiting for it is what slows the agent down when the log is slow or away.
 */
export class Reporter {
  readonly #spool: Spool;
  readonly #link: Pick<RunnerLink, 'upload'>;
  readonly #turnId: string;
  #last: Promise<unknown> = Promise.resolve();

  constructor(spool: Spool, link: Pick<RunnerLink, 'upload'>, turnId: string) {
    this.#spool = spool;
    this.#link = link;
    this.#turnId = turnId;
  }

  /** Resolves to the number of the last frame. */
  report(frames: readonly TurnFrame[]): Promise<number> {
    if (frames.length === 0) return Promise.resolve(this.#spool.lastN);
    const done = this.#last.then(() => this.#store(frames));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #store(frames: readonly TurnFrame[]): Promise<number> {
    for (const object of frames.flatMap(({ objects }) => objects)) await this.#link.upload(Buffer.from(object));
    return this.#spool.append(frames.map(({ event }) => ({ event, turnId: this.#turnId })));
  }
}
