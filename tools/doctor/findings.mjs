// What the checks of `make doctor` say, and what they share.
import { execFileSync } from 'node:child_process';

const PROGRAM_TIMEOUT_MS = 10_000;

export const fine = (code, what) => ({ code, state: 'ok', what });
export const note = (code, what, cure) => ({ code, state: 'note', what, cure });
export const broken = (code, what, cure) => ({ code, state: 'FAIL', what, cure });

/** The first line that a program says; null when it is missing or fails. */
export function outputOf(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0].trim();
  } catch {
    return null;
  }
}

export function isOlder(version, minimum) {
  const [have, want] = [version, minimum].map((text) => text.split('.').map(Number));
  const at = want.findIndex((part, index) => part !== (have[index] ?? 0));
  return at !== -1 && (have[at] ?? 0) < want[at];
}
