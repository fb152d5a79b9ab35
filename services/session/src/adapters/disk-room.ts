import { statfsSync } from 'node:fs';

import { Fault } from '@bullpen/errors';

import type { Room } from '../core/ports.js';

/** Kept for what runs, and for deleting: that too writes before it frees. */
export const RESERVED_BYTES = 128 * 1024 * 1024;
const RETRY_AFTER_MS = 2_000;
const MEGABYTE = 1024 * 1024;

/** The disk of one folder; null: nobody looks. */
export function createDiskRoom(folder: string | null): Room {
  return {
    require: () => {
      const freeBytes = folder === null ? null : freeBytesOf(folder);
      if (freeBytes === null || freeBytes >= RESERVED_BYTES) return;
      const [free, needed] = [freeBytes, RESERVED_BYTES].map((bytes) => Math.floor(bytes / MEGABYTE));
      const message = `The platform's disk is full: ${free} MB free, ${needed} MB needed for new work. Nothing was changed. Delete sessions or free space in ${folder}, then repeat the request.`;
      throw new Fault('disk.full', message, { retryAfterMs: RETRY_AFTER_MS, details: { folder, freeBytes, neededBytes: RESERVED_BYTES } });
    },
  };
}

/** Null when it cannot be told. */
function freeBytesOf(folder: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return null;
  }
}
