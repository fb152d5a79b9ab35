import { execFile } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { SANDBOX_ID_VARIABLE } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';

/** A process for ever: a pid alone comes back for another process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot; 0 where the system does not tell. */
  readonly startTicks: number;
}

/** The first process of a sandbox's pid namespace: with it the kernel ends everything in it. */
export interface FirstProcess {
  readonly pid: number;
  /** As in the link `/proc/<pid>/ns/pid`. */
  readonly namespace: number;
}

/** What processes of a sandbox are known by, besides its id in their environment. */
export interface SandboxProcesses {
  readonly wrapper: ProcessIdentity | null;
  /** Null without isolation, and when bubblewrap did not come so far. */
  readonly first: FirstProcess | null;
}

const END_ROUNDS = 100;
const END_PAUSE_MS = 50;
const execute = promisify(execFile);
const ZOMBIE_STATES = new Set(['Z', 'X', 'x']);

/** Reads the one line of `/proc/<pid>/stat`. The program's name is in parentheses and may hold anything. */
export function parseStat(line: string): (ProcessIdentity & { state: string }) | null {
  const pid = Number.parseInt(line, 10);
  const rest = line
    .slice(line.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const startTicks = Number(rest[19]);
  if (!Number.isInteger(pid) || pid <= 1) return null;
  return Number.isInteger(startTicks) ? { pid, startTicks, state: rest[0] ?? '' } : { pid, startTicks: 0, state: '' };
}

/** Whether this very process lives. A zombie counts as dead. */
export async function isAlive({ pid, startTicks }: ProcessIdentity): Promise<boolean> {
  if (startTicks === 0) return canSignal(pid);
  const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  return stat !== null && stat.startTicks === startTicks && !ZOMBIE_STATES.has(stat.state);
}

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Kills everything a sandbox started: its pid namespace, and every process whose environment names it, round after round until a
 * look finds none, since a process may start another while it dies. Also those that left its process group or session. Inside its
 * namespace a process can take the id out of its environment, and out of the first process's: so that one is known by its pid.
 *
 * @throws Fault `sandbox.not-ended` when something still lives after END_ROUNDS
 */
export async function endProcesses(sandboxId: string, { wrapper, first }: SandboxProcesses): Promise<void> {
  for (let round = 0; round < END_ROUNDS; round += 1) {
    const named = await processesOf(sandboxId);
    if (named === null) return endGroup(wrapper);
    const alive = first !== null && (await isFirstOf(first)) ? [first.pid, ...named] : named;
    if (alive.length === 0) return;
    for (const pid of alive) kill(pid);
    await sleep(END_PAUSE_MS);
  }
  throw new Fault('sandbox.not-ended', `Processes of sandbox ${sandboxId} do not end. Look for them by ${SANDBOX_ID_VARIABLE}.`, {
    details: { sandboxId },
  });
}

/** Whether it lives. Another process that got the pid since is in another namespace. */
async function isFirstOf({ pid, namespace }: FirstProcess): Promise<boolean> {
  const link = await readlink(`/proc/${pid}/ns/pid`).catch(() => '');
  if (link !== `pid:[${namespace}]`) return false;
  const stat = parseStat(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''));
  return stat !== null && !ZOMBIE_STATES.has(stat.state);
}

/** What bubblewrap reported about itself; null when that does not tell. */
export function parseFirstProcess(info: string): FirstProcess | null {
  const number = (name: string) => Number(new RegExp(`"${name}"\\s*:\\s*(\\d+)`).exec(info)?.[1] ?? 0);
  const [pid, namespace] = [number('child-pid'), number('pid-namespace')];
  return pid > 1 && namespace > 0 ? { pid, namespace } : null;
}

/** Pids of living processes of a sandbox; null where there is no /proc. */
export async function processesOf(sandboxId: string): Promise<number[] | null> {
  const names = await readdir('/proc').catch(() => null);
  if (names === null) return null;
  const entry = `${SANDBOX_ID_VARIABLE}=${sandboxId}`;
  const pids = names.filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(async (pid) => ((await hasVariable(pid, entry)) ? [Number(pid)] : [])));
  return found.flat();
}

/** A zombie's environment is empty, so it does not count. */
async function hasVariable(pid: string, entry: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return `\0${environment}\0`.includes(`\0${entry}\0`);
}

function endGroup(wrapper: ProcessIdentity | null): void {
  if (wrapper === null) return;
  kill(-wrapper.pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

/** Tells one boot of the machine from the next; empty where the system does not tell. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
}

/** So that a folder can be deleted also when something in it was made read-only. Follows no link below it. */
export async function makeDeletable(folder: string): Promise<void> {
  await execute('chmod', ['-R', 'u+rwX', '--', folder]);
}
