import { highSurrogateAtEnd, wellFormed } from './clipping.js';

export const CHUNK_INTERVAL_MS = 50;
export const MAX_CHUNK_CHARS = 4 * 1024;
/** However slow the log is, a reader sees text move. */
export const MAX_CHUNK_INTERVAL_MS = 1_000;
/** Weight of the newest acknowledgement time in their moving average. */
const NEWEST_WEIGHT = 0.3;

export type TextKind = 'text' | 'reasoning';

export interface TextChunk {
  readonly kind: TextKind;
  /** `<generation>.<n>` */
  readonly partId: string;
  /** UTF-16 code units of the part before this chunk. */
  readonly offset: number;
  readonly text: string;
}

interface Part {
  readonly kind: TextKind;
  readonly partId: string;
  offset: number;
  pending: string;
  lastChunkAtMs: number | null;
}

/**
 * Turns deltas into chunks: a part's first at once, then one per interval or 4 KB. The interval widens to the acknowledgement
 * time seen, because every chunk is an append. A part's chunks, put together, are its deltas (a lone surrogate becomes U+FFFD),
 * and no chunk splits a surrogate pair.
 */
export class TextCoalescer {
  readonly #generation: number;
  readonly #parts = new Map<string, Part>();
  #partCount = 0;
  #open: Part | null = null;
  #acknowledgementMs = 0;

  constructor(generation: number) {
    this.#generation = generation;
  }

  append(kind: TextKind, key: string, delta: string, nowMs: number): TextChunk[] {
    const part = this.#partOf(kind, key);
    const before = this.#open === part ? [] : this.flush();
    this.#open = part;
    part.pending += delta;
    if (part.lastChunkAtMs === null || nowMs - part.lastChunkAtMs >= this.#intervalMs)
      return [...before, ...take(part, nowMs, 1)];
    return [...before, ...take(part, nowMs, MAX_CHUNK_CHARS)];
  }

  /** When `takeDue` has something; null when nothing waits. */
  get dueAtMs(): number | null {
    const part = this.#open;
    return part === null || part.pending === '' ? null : (part.lastChunkAtMs ?? 0) + this.#intervalMs;
  }

  takeDue(nowMs: number): TextChunk[] {
    const due = this.dueAtMs;
    return this.#open !== null && due !== null && nowMs >= due ? take(this.#open, nowMs, 1) : [];
  }

  /** Everything that waits: before an event of another kind, and at the end. */
  flush(): TextChunk[] {
    const part = this.#open;
    if (part === null) return [];
    this.#open = null;
    const chunks = take(part, part.lastChunkAtMs ?? 0, 1);
    if (part.pending !== '') chunks.push(chunkOf(part, part.pending.length));
    return chunks;
  }

  /** Keys of the next prompt name other parts. */
  endPrompt(): TextChunk[] {
    const chunks = this.flush();
    this.#parts.clear();
    return chunks;
  }

  acknowledgedAfter(elapsedMs: number): void {
    this.#acknowledgementMs += NEWEST_WEIGHT * (elapsedMs - this.#acknowledgementMs);
  }

  get #intervalMs(): number {
    return Math.min(Math.max(CHUNK_INTERVAL_MS, this.#acknowledgementMs), MAX_CHUNK_INTERVAL_MS);
  }

  #partOf(kind: TextKind, key: string): Part {
    const name = `${kind} ${key}`;
    const known = this.#parts.get(name);
    if (known) return known;
    this.#partCount += 1;
    const part: Part = { kind, partId: `${this.#generation}.${this.#partCount}`, offset: 0, pending: '', lastChunkAtMs: null };
    this.#parts.set(name, part);
    return part;
  }
}

/** Chunks of at most MAX_CHUNK_CHARS, while at least `minChars` wait. Half a pair at the end waits for its other half. */
function take(part: Part, nowMs: number, minChars: number): TextChunk[] {
  const chunks: TextChunk[] = [];
  for (;;) {
    const length = Math.min(part.pending.length, MAX_CHUNK_CHARS);
    const whole = highSurrogateAtEnd(part.pending.slice(0, length)) ? length - 1 : length;
    if (part.pending.length < minChars || whole === 0) return chunks;
    part.lastChunkAtMs = nowMs;
    chunks.push(chunkOf(part, whole));
  }
}

function chunkOf(part: Part, length: number): TextChunk {
  const chunk = { kind: part.kind, partId: part.partId, offset: part.offset, text: wellFormed(part.pending.slice(0, length)) };
  part.offset += length;
  part.pending = part.pending.slice(length);
  return chunk;
}
