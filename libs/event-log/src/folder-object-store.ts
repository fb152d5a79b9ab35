import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readFile, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { MAX_OBJECT_BYTES } from '@bullpen/contracts';
import type { ObjectRef } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';

import type { ObjectStore } from './object-store.js';

const SHA256 = /^[0-9a-f]{64}$/;

/**
 * Objects as files `ab/cdef…` of one folder, readable by the owner only. An object is whole and on disk before `put` resolves;
 * a crash leaves at most a file under `tmp/`.
 */
export class FolderObjectStore implements ObjectStore {
  constructor(private readonly folder: string) {}

  /**
   * @throws Rejection `object.too-large`, `object.mismatch` when the bytes are not those of `expectedSha256`;
   *   Fault `object-store.unavailable`, as every method does when the disk fails
   */
  async put(bytes: Uint8Array, expectedSha256?: string): Promise<ObjectRef> {
    if (bytes.byteLength > MAX_OBJECT_BYTES) {
      const details = { bytes: bytes.byteLength, limit: MAX_OBJECT_BYTES };
      throw new Rejection(
        'object.too-large',
        `The object has ${bytes.byteLength} bytes; ${MAX_OBJECT_BYTES} are allowed.`,
        details,
      );
    }
    const sha256 = sha256Of(bytes);
    if (expectedSha256 !== undefined && expectedSha256 !== sha256) {
      const details = { sha256: expectedSha256, actual: sha256 };
      throw new Rejection('object.mismatch', `The object is ${sha256}, not ${expectedSha256}: send it again.`, details);
    }
    const path = this.pathOf(sha256);
    // Its age tells whoever clears up that somebody is about to name it.
    if (!(await onDisk(touch(path)))) await onDisk(this.write(path, bytes));
    return { sha256, bytes: bytes.byteLength };
  }

  async get(sha256: string): Promise<Uint8Array> {
    const bytes = SHA256.test(sha256) ? await readIfThere(this.pathOf(sha256)) : null;
    if (bytes === null) {
      throw new Rejection('object.not-found', `There is no object ${sha256.slice(0, 64)}.`, { sha256: sha256.slice(0, 64) });
    }
    if (sha256Of(bytes) === sha256) return bytes;
    throw new Fault('object.damaged', `Object ${sha256} is damaged on disk. Restore it from a backup.`, { details: { sha256 } });
  }

  async has(sha256: string): Promise<boolean> {
    return SHA256.test(sha256) && (await isFile(this.pathOf(sha256)));
  }

  /** Unless somebody has put it since. Absent is success. @returns whether it is gone */
  async removeUntouched(sha256: string, since: number): Promise<boolean> {
    if (!SHA256.test(sha256)) return true;
    const path = this.pathOf(sha256);
    const modified = await modifiedAt(path);
    if (modified === null) return true;
    if (modified > since) return false;
    await rm(path, { force: true });
    return true;
  }

  /** Objects that nobody has put since; what crashed writes left behind is removed on the way. */
  async *untouchedSince(since: number): AsyncGenerator<string> {
    for (const name of await namesIn(join(this.folder, 'tmp'))) {
      const path = join(this.folder, 'tmp', name);
      if (((await modifiedAt(path)) ?? since) < since) await rm(path, { force: true });
    }
    for (const start of (await namesIn(this.folder)).filter((name) => /^[0-9a-f]{2}$/.test(name))) {
      for (const rest of await namesIn(join(this.folder, start))) {
        const modified = await modifiedAt(join(this.folder, start, rest));
        if (modified !== null && modified <= since) yield start + rest;
      }
    }
  }

  private pathOf(sha256: string): string {
    return join(this.folder, sha256.slice(0, 2), sha256.slice(2));
  }

  private async write(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.folder, 'tmp', randomBytes(12).toString('hex'));
    await makeFolder(dirname(temporary));
    await makeFolder(dirname(path));
    try {
      const file = await open(temporary, 'wx', 0o600);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(dirname(path));
    await syncFolder(this.folder);
  }
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): Fault {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? ` (${String(cause.code)})` : '';
  return new Fault(
    'object-store.unavailable',
    `The folder of objects cannot be used${code}. Look at its disk and its rights; what was asked is tried again.`,
    { cause },
  );
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

/** A rename is on disk only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function modifiedAt(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** False when there is no such file. */
async function touch(path: string): Promise<boolean> {
  try {
    const now = new Date();
    await utimes(path, now, now);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isMissing(error)) return false;
    throw unavailable(error);
  }
}

async function readIfThere(path: string): Promise<Uint8Array | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw unavailable(error);
  }
}

function isMissing(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
