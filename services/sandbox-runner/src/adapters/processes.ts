import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import { SANDBOX_ID_VARIABLE } from '@bullpen/contracts';

const MAX_ROUNDS = 50;
const ROUND_MS = 20;

export interface KillRequest {
  readonly sandboxId: string;
  /** Null when no agent lives. */
  readonly agentPid: number | null;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
}

/**
 * Ends what tools left running, the agent and this runner (with its own git calls) excepted: agents start tools in sessions of their
 * own, so neither a group kill nor the agent's own abort ends them. In a pid namespace of the sandbox that is everything else;
 * without one, descendants of the agent and whatever carries the sandbox's id in its environment. Repeats until nothing is left,
 * bounded. Resolves to how many it could not end.
 */
export async function killBackground({ sandboxId, agentPid }: KillRequest): Promise<number> {
  const namespace = await isOwnNamespace();
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const targets = await findTargets({ sandboxId, agentPid }, namespace);
    if (targets.length === 0) return 0;
    for (const pid of targets) kill(pid);
    await delay(ROUND_MS);
  }
  return (await findTargets({ sandboxId, agentPid }, namespace)).length;
}

async function findTargets({ sandboxId, agentPid }: KillRequest, namespace: boolean): Promise<number[]> {
  const processes = await listProcesses();
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const wrappers = await wrappersOfRunner(parents, sandboxId);
  const targets: number[] = [];
  for (const { pid } of processes) {
    if (pid === 1 || pid === agentPid || wrappers.has(pid)) continue;
    const owner = ancestry(pid, parents).find((one) => one === agentPid || one === process.pid || wrappers.has(one));
    const isOrphan = owner === undefined && (namespace || (await carriesId(pid, sandboxId)));
    if (isOrphan || (owner !== undefined && owner === agentPid)) targets.push(pid);
  }
  return targets;
}

/** What the driver put around this runner, and so around its log: it carries the sandbox's id too. */
async function wrappersOfRunner(parents: ReadonlyMap<number, number>, sandboxId: string): Promise<ReadonlySet<number>> {
  const wrappers = new Set<number>();
  for (const pid of ancestry(process.pid, parents).slice(1)) if (await carriesId(pid, sandboxId)) wrappers.add(pid);
  return wrappers;
}

/** A process, its parent, and so on, without the first process of all, which takes in orphans. */
function ancestry(pid: number, parents: ReadonlyMap<number, number>): number[] {
  const line: number[] = [];
  for (let at: number | undefined = pid; at !== undefined && at > 1 && !line.includes(at); at = parents.get(at)) line.push(at);
  return line;
}

/** bubblewrap is the first process of the namespaces it makes. */
async function isOwnNamespace(): Promise<boolean> {
  const name = await readFile('/proc/1/comm', 'utf8').catch(() => '');
  return name.trim() === 'bwrap';
}

async function listProcesses(): Promise<Process[]> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(names.filter((name) => /^\d+$/.test(name)).map(readProcess));
  return found.filter((one) => one !== null);
}

/** Null for a process that is gone or dead already. */
async function readProcess(name: string): Promise<Process | null> {
  const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold anything; state and parent follow the last of them.
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (stat === '' || state === 'Z' || state === 'X') return null;
  return { pid: Number(name), parent: Number(parent) };
}

async function carriesId(pid: number, sandboxId: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  return environment.split('\0').includes(`${SANDBOX_ID_VARIABLE}=${sandboxId}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself; the next round looks again.
  }
}
