import { openFrameLane } from '@bullpen/event-log';
import type { EventLog, FrameLane } from '@bullpen/event-log';

export interface LaneHolder {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly generation: number;
}

/** One writer per agent lane in this process: the link's frames and the push's outcome go through the same one. */
export class FrameLanes {
  readonly #lanes = new Map<string, Promise<FrameLane>>();

  constructor(private readonly log: EventLog) {}

  /** @throws Rejection `generation.superseded`; Fault `log.unavailable` */
  open(holder: LaneHolder): Promise<FrameLane> {
    const known = this.#lanes.get(holder.sandboxId);
    if (known) return known;
    const opening = openFrameLane(this.log, holder);
    this.#lanes.set(holder.sandboxId, opening);
    opening.catch(() => this.#forget(holder.sandboxId, opening));
    return opening;
  }

  /** After a failure, or once the generation ended: the next `open` reads the lane's end again. */
  drop(sandboxId: string): void {
    this.#lanes.delete(sandboxId);
  }

  dropAll(isDropped: (sandboxId: string) => boolean): void {
    for (const sandboxId of this.#lanes.keys()) if (isDropped(sandboxId)) this.drop(sandboxId);
  }

  #forget(sandboxId: string, opening: Promise<FrameLane>): void {
    if (this.#lanes.get(sandboxId) === opening) this.#lanes.delete(sandboxId);
  }
}
