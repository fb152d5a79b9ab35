import { mkdir, open, readdir, rm, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import type { RunnerEvent } from '@bullpen/contracts';

import { FrameLedger } from '../core/frame-ledger.js';

/** Of frames that the log does not have yet. When they fill it, `append` waits, and with it the agent. */
export const SPOOL_BYTES = 64 * 1024 * 1024;
/** How long a full disk is waited for: somebody has to notice and free space. */
const DISK_PATIENCE_MS = 60 * 60_000;
const DISK_RETRY_MS = 500;
const FULL_CODES: readonly unknown[] = ['ENOSPC', 'EDQUOT'];
/** A file is removed once all of its frames are acknowledged. */
const SEGMENT_BYTES = 4 * 1024 * 1024;

export interface SpooledFrame {
  readonly n: number;
  /** The frame as JSON. */
  readonly json: string;
  readonly bytes: number;
}

interface Segment {
  readonly id: number;
  readonly path: string;
  readonly file: FileHandle;
  size: number;
}

export interface FrameToSpool {
  readonly event: RunnerEvent;
  readonly turnId: string;
}

/**
 * Numbered frames on disk until they are acknowledged. `append` resolves once they are on disk (fsync), in the order of the
 * calls; a full spool or a full disk makes it wait, and nothing is ever dropped.
 */
export class Spool {
  readonly #folder: string;
  readonly #limitBytes: number;
  readonly #ledger = new FrameLedger();
  readonly #segments: Segment[] = [];
  #writing: Promise<unknown> = Promise.resolve();
  #waiting = new Set<() => void>();
  #onAppended: () => void = () => undefined;
  #onDiskFull: (error: unknown) => void = () => undefined;

  /** A folder of its own generation: what lies in it is removed. */
  static async open(folder: string, limitBytes = SPOOL_BYTES): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // The folder itself may be a mount point, which cannot be removed.
    for (const name of await readdir(folder)) await rm(join(folder, name), { recursive: true, force: true });
    return new Spool(folder, limitBytes);
  }

  private constructor(folder: string, limitBytes: number) {
    this.#folder = folder;
    this.#limitBytes = limitBytes;
  }

  set onAppended(listener: () => void) {
    this.#onAppended = listener;
  }

  /** Told once each time that frames have to wait for the disk. */
  set onDiskFull(listener: (error: unknown) => void) {
    this.#onDiskFull = listener;
  }

  get lastN(): number {
    return this.#ledger.lastN;
  }

  get acknowledgedThrough(): number {
    return this.#ledger.acknowledgedThrough;
  }

  /** Resolves to the number of the last one. */
  append(frames: readonly FrameToSpool[]): Promise<number> {
    const done = this.#writing.then(() => this.#write(frames));
    this.#writing = done.catch(() => undefined);
    return done;
  }

  async acknowledge(through: number): Promise<void> {
    this.#ledger.acknowledge(through);
    this.#wake();
    // The last segment is being written to. Asked anew each time: a later call may be further by now.
    while (this.#segments.length > 1 && this.#segments[0]?.id !== this.#ledger.firstSegment) {
      const segment = this.#segments.shift();
      await segment?.file.close();
      if (segment) await unlink(segment.path);
    }
  }

  /** Resolves once frame `n` is acknowledged; never, if that never comes. */
  async acknowledged(n: number): Promise<void> {
    while (this.#ledger.acknowledgedThrough < n) await this.#progress();
  }

  /** Frames after `n` that are on disk. */
  async readAfter(n: number, maxFrames: number, maxBytes: number): Promise<SpooledFrame[]> {
    const places = this.#ledger.after(n, maxFrames, maxBytes);
    const frames: SpooledFrame[] = [];
    for (const place of places) {
      const segment = this.#segments.find(({ id }) => id === place.segment);
      // Acknowledged, and so removed, while this read.
      if (!segment) continue;
      const { buffer } = await segment.file.read(Buffer.alloc(place.bytes), 0, place.bytes, place.offset);
      frames.push({ n: place.n, json: buffer.toString('utf8'), bytes: place.bytes });
    }
    return frames;
  }

  async close(): Promise<void> {
    await this.#writing;
    for (const { file } of this.#segments.splice(0)) await file.close();
  }

  async #write(frames: readonly FrameToSpool[]): Promise<number> {
    const lines = frames.map(({ event: { type, data }, turnId }, i) => {
      return Buffer.from(`${JSON.stringify({ n: this.#ledger.lastN + 1 + i, type, turnId, data })}\n`);
    });
    const bytes = lines.reduce((sum, line) => sum + line.length, 0);
    while (this.#ledger.bytes > 0 && this.#ledger.bytes + bytes > this.#limitBytes) await this.#progress();
    const segment = await this.#whenDiskHasRoom(() => this.#writeBytes(Buffer.concat(lines)));
    for (const line of lines) {
      this.#ledger.add(segment.id, segment.size, line.length - 1);
      segment.size += line.length;
    }
    this.#onAppended();
    return this.#ledger.lastN;
  }

  async #writeBytes(bytes: Buffer): Promise<Segment> {
    const segment = await this.#segmentToWrite();
    // One write may take a part only; a repeated one begins at the same place.
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await segment.file.write(bytes, at, bytes.length - at, segment.size + at);
      at += bytesWritten;
    }
    await segment.file.datasync();
    return segment;
  }

  async #whenDiskHasRoom<T>(write: () => Promise<T>): Promise<T> {
    const deadline = Date.now() + DISK_PATIENCE_MS;
    for (let told = false; ; told = true) {
      try {
        return await write();
      } catch (error) {
        if (!FULL_CODES.includes((error as NodeJS.ErrnoException).code) || Date.now() >= deadline) throw error;
        if (!told) this.#onDiskFull(error);
        await delay(DISK_RETRY_MS);
      }
    }
  }

  async #segmentToWrite(): Promise<Segment> {
    const last = this.#segments.at(-1);
    if (last && last.size < SEGMENT_BYTES) return last;
    const id = (last?.id ?? 0) + 1;
    const path = join(this.#folder, `frames-${id}.jsonl`);
    const segment = { id, path, file: await open(path, 'wx+', 0o600), size: 0 };
    this.#segments.push(segment);
    return segment;
  }

  #progress(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
