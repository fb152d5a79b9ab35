import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';

import type { RunnerSpec } from '@bullpen/contracts';
import type { ObservedPhase, ObservedSandbox, SandboxSpec } from '@bullpen/sandbox-driver';

import { isAlive, makeDeletable, parseFirstProcess, parseStat } from './processes.js';
import type { ProcessIdentity, SandboxProcesses } from './processes.js';

/** What `sandbox.json` keeps. The file's presence says that the sandbox exists; it is written before anything starts. */
export interface SandboxRecord {
  readonly createdAt: string;
  /** Of the machine: after a restart no process of it lives, whoever has its pid now. */
  readonly bootId: string;
}

const LOG_TAIL_BYTES = 4 * 1024;
const LOG_TAIL_LINES = 40;
/** A wrapper that has not said who it is by now never started. */
const START_LIMIT_MS = 10_000;
const KEPT = ['workspace', 'home'];

/** The files of one sandbox: `<folder>/<id>/`. */
export class SandboxFolder {
  constructor(
    readonly id: string,
    readonly path: string,
  ) {}

  file(name: string): string {
    return join(this.path, name);
  }

  get exists(): boolean {
    return existsSync(this.file('sandbox.json'));
  }

  /** Workspace, home (those of `takeOver`, if it has any left) and what the runner reads. */
  async prepare(spec: SandboxSpec, runnerSpec: RunnerSpec, takeOver: SandboxFolder | null): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 });
    for (const name of KEPT) {
      const taken = takeOver?.file(name);
      if (taken !== undefined && existsSync(taken) && !existsSync(this.file(name))) await rename(taken, this.file(name));
      await mkdir(this.file(name), { recursive: true, mode: 0o700 });
    }
    await mkdir(this.file('spool'), { recursive: true, mode: 0o700 });
    await writeFile(this.file('spec.json'), JSON.stringify(runnerSpec), { mode: 0o600 });
    if (spec.checkpoint) await writeFile(this.file('checkpoint.bundle'), spec.checkpoint.bundle, { mode: 0o600 });
    if (spec.transcript !== null) await writeFile(this.file('transcript.md'), spec.transcript, { mode: 0o600 });
  }

  /** Whole, and by one of many: false when another process was faster. */
  async writeRecord(record: SandboxRecord): Promise<boolean> {
    const fresh = this.file(`sandbox.json.${randomUUID()}`);
    await writeFile(fresh, JSON.stringify(record), { mode: 0o600 });
    try {
      await link(fresh, this.file('sandbox.json'));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(fresh, { force: true });
    }
  }

  async processes(): Promise<SandboxProcesses> {
    return { wrapper: await this.#wrapper(), first: parseFirstProcess(await this.#read('info')) };
  }

  /** How it stands now; null when there is no such sandbox. Without the log. */
  async observe(bootId: string, now: number): Promise<Omit<ObservedSandbox, 'logTail'> | null> {
    const record = parseRecord(await this.#read('sandbox.json'));
    if (record === null) return null;
    const exit = await this.#exit();
    if (exit !== null) return this.#ended(exit);
    const wrapper = await this.#wrapper();
    if (record.bootId === bootId && wrapper !== null && (await isAlive(wrapper))) return this.#as('running');
    // The wrapper may have written its last word between the two looks.
    const late = await this.#exit();
    if (late !== null) return this.#ended(late);
    if (wrapper !== null) return { ...this.#as('exited'), signal: 'SIGKILL' };
    const isYoung = record.bootId === bootId && now - Date.parse(record.createdAt) < START_LIMIT_MS;
    return this.#as(isYoung ? 'pending' : 'failed');
  }

  async logTail(): Promise<string> {
    const text = (await this.#orderedLogs()).join('');
    return text.slice(-LOG_TAIL_BYTES).trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n');
  }

  async remove(keepWorkspace: boolean): Promise<void> {
    // First: from here on the sandbox does not exist, and a remove that is cut short can be repeated.
    await rm(this.file('sandbox.json'), { force: true });
    const names = await readdir(this.path).catch(() => []);
    for (const name of names) if (!keepWorkspace || !KEPT.includes(name)) await removeTree(this.file(name));
    if (!keepWorkspace) await rm(this.path, { recursive: true, force: true });
  }

  /** The wrapper's own process; null until it has said so. */
  async #wrapper(): Promise<ProcessIdentity | null> {
    return parseStat(await this.#read('process'));
  }

  async #exit(): Promise<number | null> {
    const text = (await this.#read('exit')).trim();
    return text === '' ? null : Number(text);
  }

  #as(phase: ObservedPhase): Omit<ObservedSandbox, 'logTail'> {
    return { id: this.id, phase, exitCode: null, signal: null };
  }

  /** A shell, and bubblewrap too, say 128 + n for a command that signal n ended. */
  #ended(status: number): Omit<ObservedSandbox, 'logTail'> {
    const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0] ?? null;
    return { id: this.id, phase: 'exited', exitCode: signal === null ? status : null, signal };
  }

  /** The file written to last comes last: it is the one that is not full. */
  async #orderedLogs(): Promise<string[]> {
    const logs = [await this.#read('log.0'), await this.#read('log.1')];
    return (logs[0]?.length ?? 0) < (logs[1]?.length ?? 0) ? logs.reverse() : logs;
  }

  #read(name: string): Promise<string> {
    return readFile(this.file(name), 'utf8').catch(() => '');
  }
}

function parseRecord(text: string): SandboxRecord | null {
  try {
    return JSON.parse(text) as SandboxRecord;
  } catch {
    return null;
  }
}

async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {
    await makeDeletable(path);
    await rm(path, { recursive: true, force: true });
  }
}
