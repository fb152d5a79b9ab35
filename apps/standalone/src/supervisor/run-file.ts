import { linkSync, renameSync, rmSync } from 'node:fs';

import { z } from 'zod';

import { hasCode } from './disk.js';
import { parseJson, readIfPresent, writePrivately, type Home } from './home.js';
import { identify, isAlive, type ProcessIdentity } from './processes.js';

/** One process for all services, or one each. */
export const SERVICE_NAMES = ['platform', 'orchestrator', 'session', 'gateway'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

/** In the order in which they start; they stop the other way round. */
export const PROCESS_NAMES = ['postgres', 'nats', 'scriptedModel', ...SERVICE_NAMES] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

export const PORT_NAMES = [
  'postgres',
  'nats',
  'scriptedModel',
  'sessionGrpc',
  'sessionHealth',
  'orchestratorGrpc',
  'orchestratorLink',
  'orchestratorHealth',
] as const;
export type PortName = (typeof PORT_NAMES)[number];
export type Ports = Readonly<Record<PortName, number>>;

const identitySchema = z.object({ pid: z.number().int().positive(), startTime: z.string() });
const runSchema = z.object({
  /** Where the public API answers, or did. */
  url: z.string(),
  ports: z.partialRecord(z.enum(PORT_NAMES), z.number().int()),
  supervisor: identitySchema.nullable(),
  processes: z.partialRecord(z.enum(PROCESS_NAMES), identitySchema),
  /** What it was started with, as marks. */
  settings: z.record(z.string(), z.string()).optional(),
});
/** What runs, and on which ports: `run.json`. Ports stay the same from one start to the next. */
export type Run = z.infer<typeof runSchema>;

const LOCK_TRIES = 5;

/** Null when there is none that can be read; it is then written anew. */
export function readRun(home: Home): Run | null {
  const run = runSchema.safeParse(parseJson(readIfPresent(home.runFile) ?? ''));
  return run.success ? run.data : null;
}

export function writeRun(home: Home, run: Run): void {
  writePrivately(home.runFile, `${JSON.stringify(run, null, 2)}\n`);
}

export function isService(name: ProcessName): name is ServiceName {
  return (SERVICE_NAMES as readonly string[]).includes(name);
}

/** The supervisor that holds this home, null when none lives. */
export function runningSupervisor(home: Home): ProcessIdentity | null {
  const holder = identitySchema.safeParse(parseJson(readIfPresent(home.lockFile) ?? ''));
  return holder.success && isAlive(holder.data) ? holder.data : null;
}

/** Makes this process the home's one supervisor. Resolves to the one that is it already, else to null. */
export function takeLock(home: Home): ProcessIdentity | null {
  const own = `${home.lockFile}.${process.pid}`;
  writePrivately(own, JSON.stringify(identify(process.pid)));
  try {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      if (linked(own, home.lockFile)) return null;
      const holder = runningSupervisor(home);
      if (holder !== null) return holder;
      removeStaleLock(home);
    }
    throw new Error(`Cannot take ${home.lockFile}: others keep taking it. Run make up again.`);
  } finally {
    rmSync(own, { force: true });
  }
}

export function releaseLock(home: Home): void {
  rmSync(home.lockFile, { force: true });
}

/** A link is made by one of many; a plain write is not. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Moved aside first: of two who see the same stale lock only one may remove it, and a fresh one is put back. */
function removeStaleLock(home: Home): void {
  const aside = `${home.lockFile}.${process.pid}.stale`;
  try {
    renameSync(home.lockFile, aside);
  } catch {
    return;
  }
  const holder = identitySchema.safeParse(parseJson(readIfPresent(aside) ?? ''));
  if (holder.success && isAlive(holder.data)) linked(aside, home.lockFile);
  rmSync(aside, { force: true });
}
