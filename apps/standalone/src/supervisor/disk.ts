import { accessSync, constants, existsSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

import { Fault, Rejection } from '@bullpen/errors';

/** Less is not enough for the servers to start on: they write before they serve. */
export const LEAST_FREE_BYTES = 64 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;
/** What the system says of a place that cannot be written at all. */
const NOT_WRITABLE: readonly string[] = ['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST'];
const FULL: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** What keeps Bullpen from writing into the folder, or from making it; null when nothing does. */
export function diskProblem(folder: string): Rejection | Fault | null {
  const place = nearestThere(folder);
  try {
    if (!statSync(place).isDirectory()) return notAFolder(place);
    accessSync(place, constants.W_OK | constants.X_OK);
    const { blocks, bavail, bsize } = statfsSync(place);
    if (blocks === 0) return notWritable(folder, 'no disk for files');
    const freeBytes = bavail * bsize;
    return freeBytes < LEAST_FREE_BYTES ? full(folder, `${Math.floor(freeBytes / MEGABYTE)} MB`) : null;
  } catch (error) {
    return asDiskProblem(folder, error);
  }
}

/** Of a call that wrote into the folder and failed. @throws what is not about its disk */
export function asDiskProblem(folder: string, error: unknown): Rejection | Fault {
  const code = [...NOT_WRITABLE, ...FULL].find((one) => hasCode(error, one));
  if (code === undefined) throw error;
  if (FULL.includes(code)) return full(folder, `nothing (${code})`);
  return notWritable(folder, code);
}

function notAFolder(file: string): Rejection {
  const message = `BULLPEN_HOME cannot be made: ${file} is a file. Set BULLPEN_HOME to a folder, or to one that is not there yet.`;
  return new Rejection('home.not-a-folder', message, { file });
}

function notWritable(folder: string, cause: string): Rejection {
  const message = `BULLPEN_HOME ${folder} cannot be written (${cause}). Give yourself the right to write there, or set BULLPEN_HOME to another folder.`;
  return new Rejection('home.not-writable', message, { folder, cause });
}

function full(folder: string, free: string): Fault {
  const message = `The disk of BULLPEN_HOME ${folder} is full: ${free} free, ${LEAST_FREE_BYTES / MEGABYTE} MB needed. Free space there, or set BULLPEN_HOME to another disk.`;
  return new Fault('disk.full', message, { details: { folder } });
}

function nearestThere(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestThere(dirname(path));
}

/** Whether a call to the system failed in this way. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}
