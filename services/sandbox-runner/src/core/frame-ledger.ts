import { assert } from '@bullpen/errors';

/** Where a frame lies in the spool. */
export interface FramePlace {
  readonly n: number;
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Which frames exist, where they lie and which of them the log has: numbers from 1, without gaps. */
export class FrameLedger {
  #places: FramePlace[] = [];
  #lastN = 0;
  #acknowledged = 0;
  #bytes = 0;

  /** Of the frames that are not acknowledged. */
  get bytes(): number {
    return this.#bytes;
  }

  get acknowledgedThrough(): number {
    return this.#acknowledged;
  }

  get lastN(): number {
    return this.#lastN;
  }

  add(segment: number, offset: number, bytes: number): FramePlace {
    this.#lastN += 1;
    const place = { n: this.#lastN, segment, offset, bytes };
    this.#places.push(place);
    this.#bytes += bytes;
    return place;
  }

  /** Cumulative; an older number changes nothing. */
  acknowledge(through: number): void {
    assert(through <= this.#lastN, `frame ${through} was acknowledged, but the last one is ${this.#lastN}.`);
    if (through <= this.#acknowledged) return;
    const count = through - this.#acknowledged;
    for (const { bytes } of this.#places.slice(0, count)) this.#bytes -= bytes;
    this.#places = this.#places.slice(count);
    this.#acknowledged = through;
  }

  /** The first segment that is still needed. */
  get firstSegment(): number | null {
    return this.#places[0]?.segment ?? null;
  }

  /** Frames after `n`, in order, as many as fit; one always does. */
  after(n: number, maxFrames: number, maxBytes: number): FramePlace[] {
    const found: FramePlace[] = [];
    let bytes = 0;
    const start = Math.max(0, n - this.#acknowledged);
    for (const place of this.#places.slice(start, start + maxFrames)) {
      bytes += place.bytes;
      if (bytes > maxBytes && found.length > 0) break;
      found.push(place);
    }
    return found;
  }
}
