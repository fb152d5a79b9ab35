// What the scripts here must know of an installation while nothing is built, or node_modules is not there: plain Node, nothing else.
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CHECKOUT = dirname(dirname(fileURLToPath(import.meta.url)));
export const HOME = resolve(process.env.BULLPEN_HOME || join(CHECKOUT, '.bullpen'));

/** The supervisor that holds the home, null when none lives. */
export function runningSupervisor() {
  return livingOrNull(readJson('supervisor.lock'));
}

/** `run.json`, with those of its processes only that live. */
export function readRun() {
  const run = readJson('run.json') ?? {};
  const living = Object.entries(run.processes ?? {}).filter(([, identity]) => livingOrNull(identity) !== null);
  return { url: run.url ?? null, ports: run.ports ?? {}, processes: Object.fromEntries(living) };
}

/** Processes that sandboxes of this home left: by the id in their environment, which children inherit. */
export function sandboxPids() {
  const ids = new Set(entries(join(HOME, 'sandboxes')).map((id) => `BULLPEN_SANDBOX_ID=${id}`));
  return entries('/proc').filter((name) => /^\d+$/.test(name) && environmentOf(name).some((entry) => ids.has(entry))).map(Number);
}

export function isAlive({ pid, startTime }) {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    return fields[0] !== 'Z' && fields[0] !== 'X' && fields[19] === startTime;
  } catch {
    return false;
  }
}

export function signal(identity, name) {
  try {
    if (isAlive(identity)) process.kill(identity.pid, name);
  } catch (error) {
    // It ended in between.
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Resolves to whether it is gone. */
export async function waitUntilGone(identity, timeoutMs) {
  const deadline = Date.now() + timeoutMs;
  while (isAlive(identity) && Date.now() < deadline) await new Promise((wake) => setTimeout(wake, 50));
  return !isAlive(identity);
}

function livingOrNull(identity) {
  return Number.isInteger(identity?.pid) && isAlive(identity) ? identity : null;
}

function readJson(name) {
  try {
    return JSON.parse(readFileSync(join(HOME, name), 'utf8'));
  } catch {
    return null;
  }
}

function environmentOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function entries(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
