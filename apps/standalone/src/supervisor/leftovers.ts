import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { SANDBOX_ID_VARIABLE } from '@bullpen/contracts';

import type { Home } from './home.js';
import { endProcess, identify, isAlive, signalProcess, type ProcessIdentity } from './processes.js';
import { PROCESS_NAMES, isService, type ProcessName, type Run } from './run-file.js';

const LEFTOVER_GRACE_MS = { service: 5_000, scriptedModel: 2_000, nats: 10_000, postgres: 10_000 } as const;
const SANDBOX_ROUNDS = 40;
const SANDBOX_ROUND_MS = 50;

export type Leftovers = Run['processes'];

/** What of the last start still lives. */
export function leftoversOf(run: Pick<Run, 'processes'> | null): Leftovers {
  const entries = Object.entries(run?.processes ?? {}).filter(([, identity]) => isAlive(identity));
  return Object.fromEntries(entries);
}

/**
 * Ends these, the services first, then what they lean on. Services are killed, not asked: asked, the platform would end the turns that
 * run; killed, the runners in their sandboxes outlive it and the next one takes them over.
 */
export async function endLeftovers(leftovers: Leftovers): Promise<ProcessName[]> {
  const names = [...PROCESS_NAMES].reverse().filter((name) => leftovers[name] !== undefined);
  for (const name of names) {
    const identity = leftovers[name];
    if (identity !== undefined) await endProcess(identity, stopSignalOf(name), LEFTOVER_GRACE_MS[isService(name) ? 'service' : name]);
  }
  return names;
}

function stopSignalOf(name: ProcessName): NodeJS.Signals {
  switch (name) {
    case 'platform':
    case 'orchestrator':
    case 'session':
    case 'gateway':
      return 'SIGKILL';
    case 'postgres':
      return 'SIGINT';
    case 'nats':
    case 'scriptedModel':
      return 'SIGTERM';
  }
}

/** Kills whatever still runs in a sandbox of this home; rounds, because what is killed may just have started something. */
export async function endSandboxes(home: Home): Promise<number> {
  const seen = new Set<number>();
  for (let round = 0; round < SANDBOX_ROUNDS; round++) {
    const found = sandboxProcesses(home);
    if (found.length === 0) break;
    for (const identity of found) {
      seen.add(identity.pid);
      signalProcess(identity, 'SIGKILL');
    }
    await delay(SANDBOX_ROUND_MS);
  }
  return seen.size;
}

/** By the id in their environment, which children inherit; only ids of this home: another Bullpen may run on this machine. */
export function sandboxProcesses(home: Home): ProcessIdentity[] {
  const ids = new Set(entries(home.sandboxes));
  const pids = entries('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => ids.has(sandboxIdOf(pid) ?? ''))
    .map((pid) => identify(Number(pid)))
    .filter((identity) => identity !== null);
}

function sandboxIdOf(pid: string): string | null {
  try {
    const prefix = `${SANDBOX_ID_VARIABLE}=`;
    const entry = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').find((line) => line.startsWith(prefix));
    return entry?.slice(prefix.length) ?? null;
  } catch {
    return null;
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
