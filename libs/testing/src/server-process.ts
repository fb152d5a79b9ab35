import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { ProcessSpec } from '@bullpen/embedded';

const STOP_TIMEOUT_MS = 10_000;
/** Last lines of a server, kept for the error of a test that waited in vain. */
const MAX_LOG_CHARS = 4_000;

/** A child process that ends with the test run: on exit of this process it is killed. */
export class ServerProcess {
  #child: ChildProcess | null = null;
  #log = '';
  readonly #killOnExit = (): void => void this.#child?.kill('SIGKILL');

  constructor(private readonly spec: ProcessSpec) {}

  get log(): string {
    return this.#log;
  }

  start(): void {
    const { command, args, env } = this.spec;
    const child = spawn(command, [...args], { env: { PATH: process.env['PATH'], ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const keep = (chunk: Buffer): void => void (this.#log = (this.#log + chunk.toString('utf8')).slice(-MAX_LOG_CHARS));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => keep(Buffer.from(String(error))));
    this.#child = child;
    process.once('exit', this.#killOnExit);
  }

  /** Resolves when the process is gone; kills it when it takes too long. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = null;
    process.off('exit', this.#killOnExit);
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.kill(signal);
    await gone;
    clearTimeout(timer);
  }
}

export interface TemporaryFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function temporaryFolder(name: string): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), `bullpen-${name}-`));
  return { path, remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) };
}
