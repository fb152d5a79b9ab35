import { createHash } from 'node:crypto';

import { OBJECT_CHUNK_BYTES } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import type { ObjectStore } from '@bullpen/event-log';

/** Bytes of objects that are on their way at one time, over all links. */
export const MAX_UPLOADING_BYTES = 1024 * 1024 * 1024;

/** Shared by all links of a process. */
export class UploadBudget {
  #used = 0;

  /** @throws Fault `object.busy` when too many bytes are on their way */
  take(bytes: number): void {
    if (this.#used + bytes > MAX_UPLOADING_BYTES) throw new Fault('object.busy', 'Too many objects are being uploaded. Connect again later.');
    this.#used += bytes;
  }

  release(bytes: number): void {
    this.#used -= bytes;
  }
}

/** One object that comes in pieces. */
export class ObjectUpload {
  readonly #chunks: Uint8Array[] = [];
  readonly #hash = createHash('sha256');
  #received = 0;
  #open = true;

  constructor(
    readonly sha256: string,
    private readonly bytes: number,
    private readonly budget: UploadBudget,
  ) {
    budget.take(bytes);
  }

  get complete(): boolean {
    return this.#received === this.bytes;
  }

  /** @throws Rejection `object.chunk-invalid` */
  add(chunk: Uint8Array): void {
    this.#received += chunk.byteLength;
    if (chunk.byteLength > OBJECT_CHUNK_BYTES || this.#received > this.bytes) {
      throw new Rejection('object.chunk-invalid', `A piece of object ${this.sha256} is larger than agreed.`);
    }
    this.#hash.update(chunk);
    this.#chunks.push(chunk);
  }

  /** @throws Rejection `object.mismatch` */
  async store(objects: ObjectStore): Promise<void> {
    const actual = this.#hash.digest('hex');
    if (actual !== this.sha256) throw new Rejection('object.mismatch', `What was uploaded as ${this.sha256} is ${actual}.`);
    await objects.put(Buffer.concat(this.#chunks));
  }

  /** Complete or given up. */
  end(): void {
    if (this.#open) this.budget.release(this.bytes);
    this.#open = false;
    this.#chunks.length = 0;
  }
}
