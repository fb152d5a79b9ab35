import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { hasCode } from './disk.js';

/** One process for ever: a pid alone is used again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** As the system tells it; only ever compared. */
  readonly startTime: string;
}

const POLL_MS = 25;
/** The kernel needs no longer to carry out a SIGKILL, save for a process stuck in a disk operation. */
const KILL_TIMEOUT_MS = 5_000;

/** Null when no such process lives; a zombie counts as dead. */
export function identify(pid: number): ProcessIdentity | null {
  const startTime = process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  return startTime === null ? null : { pid, startTime };
}

export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  return identify(pid)?.startTime === startTime;
}

/** Sends a signal to the process, and to its whole group when that is asked for; none when it is gone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals, { group = false } = {}): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(group ? -identity.pid : identity.pid, signal);
  } catch (error) {
    // It ended in between.
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** Asks the process to end, and kills its group when it has not within the time. Resolves to how it ended. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<'gone' | 'killed' | 'stuck'> {
  signalProcess(identity, signal);
  if (await waitUntilGone(identity, graceMs)) return 'gone';
  signalProcess(identity, 'SIGKILL', { group: true });
  return (await waitUntilGone(identity, KILL_TIMEOUT_MS)) ? 'killed' : 'stuck';
}

export async function waitUntilGone(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity)) {
    if (Date.now() >= deadline) return false;
    await delay(POLL_MS);
  }
  return true;
}

/** Fields of /proc/<pid>/stat after the command's name, which may itself hold spaces and brackets. */
function startTimeFromProc(pid: number): string | null {
  const STATE = 0;
  const START_TIME = 19;
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[STATE] === 'Z' || fields[STATE] === 'X' ? null : (fields[START_TIME] ?? null);
  } catch {
    return null;
  }
}

function startTimeFromPs(pid: number): string | null {
  try {
    const line = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    return line === '' || line.startsWith('Z') ? null : line.replace(/^\S+\s+/, '');
  } catch {
    return null;
  }
}
