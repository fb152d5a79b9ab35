import { createHash } from 'node:crypto';
import { mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

import { newSecret } from './secrets.js';

/** A code that nobody used for this long is worth nothing. */
export const SIGN_IN_CODE_MS = 10 * 60_000;

/** A one-time code for the dashboard. The folder keeps its hash alone; codes that ran out are swept. */
export async function mintSignInCode(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const name of await readdir(folder)) if (!(await isFresh(join(folder, name)))) await removeFile(join(folder, name));
  const code = newSecret();
  const file = await open(join(folder, nameOf(code)), 'wx', 0o600);
  await file.close();
  return code;
}

/** True exactly once for a code that was minted in the folder and has not run out, whoever asks at the same time: removing its file decides. */
export async function redeemSignInCode(folder: string, code: string): Promise<boolean> {
  const path = join(folder, nameOf(code));
  const fresh = await isFresh(path);
  return (await removeFile(path)) && fresh;
}

function nameOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

async function isFresh(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs < SIGN_IN_CODE_MS;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

/** Whether it was we who removed it. */
async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}
