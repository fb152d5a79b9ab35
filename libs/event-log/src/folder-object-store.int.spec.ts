import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { FolderObjectStore } from './index.js';

let folder: string;
let store: FolderObjectStore;
const bytes = new TextEncoder().encode('hello');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const path = () => join(folder, 'objects', sha256.slice(0, 2), sha256.slice(2));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bullpen-objects-'));
  store = new FolderObjectStore(join(folder, 'objects'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe('FolderObjectStore', () => {
  it('keeps bytes by their sha256, for the owner only', async () => {
    expect(await store.put(bytes)).toEqual({ sha256, bytes: 5 });
    expect(Buffer.from(await store.get(sha256)).toString()).toBe('hello');
    expect(await store.has(sha256)).toBe(true);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await stat(join(path(), '..'))).mode & 0o777).toBe(0o700);
  });

  it('is unavailable, and not wrong, when its disk fails', async () => {
    await writeFile(join(folder, 'objects'), 'a file in the place of the folder');
    const unavailable = { name: 'Fault', code: 'object-store.unavailable', message: expect.stringContaining('ENOTDIR') as unknown };
    await expect(store.put(bytes)).rejects.toMatchObject(unavailable);
    await expect(store.get(sha256)).rejects.toMatchObject(unavailable);
    await expect(store.has(sha256)).rejects.toMatchObject(unavailable);
    await rm(join(folder, 'objects'));
    expect(await store.put(bytes)).toEqual({ sha256, bytes: 5 });
  });

  it('takes the same bytes again, also at the same time', async () => {
    await Promise.all(Array.from({ length: 8 }, () => store.put(bytes)));
    expect(await store.put(bytes)).toEqual({ sha256, bytes: 5 });
    expect(await readdir(join(folder, 'objects', 'tmp'))).toEqual([]);
  });

  it('keeps an empty object', async () => {
    const { sha256: empty } = await store.put(new Uint8Array());
    expect(await store.get(empty)).toHaveLength(0);
  });

  it('refuses bytes that are not what they were announced as', async () => {
    await expect(store.put(bytes, 'f'.repeat(64))).rejects.toMatchObject({ code: 'object.mismatch' });
    expect(await store.has(sha256)).toBe(false);
  });

  it('does not know what was never put, nor paths', async () => {
    for (const unknown of ['f'.repeat(64), '', '../../etc/passwd', `${sha256.slice(0, 2)}/${sha256.slice(2)}`]) {
      await expect(store.get(unknown)).rejects.toMatchObject({ code: 'object.not-found' });
      expect(await store.has(unknown)).toBe(false);
    }
  });

  it('never gives damaged bytes', async () => {
    await store.put(bytes);
    await writeFile(path(), 'other');
    await expect(store.get(sha256)).rejects.toMatchObject({ name: 'Fault', code: 'object.damaged' });
  });
});
