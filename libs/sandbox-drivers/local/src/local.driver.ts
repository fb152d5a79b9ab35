import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';

import type { Isolation, RunnerSpec } from '@bullpen/contracts';
import { RUNNER_SPEC_VARIABLE, SANDBOX_ID_VARIABLE } from '@bullpen/contracts';
import { Bug, Fault, Rejection } from '@bullpen/errors';
import { differences } from '@bullpen/sandbox-driver';
import type {
  ObservedSandbox,
  SandboxDriver,
  SandboxFeature,
  SandboxId,
  SandboxObservation,
  SandboxSpec,
} from '@bullpen/sandbox-driver';
import type { Logger } from '@bullpen/telemetry';

import { INSIDE, bubblewrapCommand, bubblewrapProblem } from './bubblewrap.js';
import { bootId, endProcesses } from './processes.js';
import { SandboxFolder } from './sandbox-folder.js';
import { WRAPPER } from './wrapper.js';

export interface LocalDriverOptions {
  /** Absolute; one folder per sandbox is made in it. */
  readonly folder: string;
  /** The bundled runner, a file that Node runs. */
  readonly runnerFile: string;
  readonly nodeBinary: string;
  /** Its `node_modules` holds the agent CLIs. */
  readonly agentsFolder: string;
  /** `auto`: bubblewrap where it works. */
  readonly isolation: 'auto' | 'none';
  readonly logger: Logger;
}

/** Tells a runner the folder whose `node_modules` holds the agent CLIs, as the sandbox sees it. */
export const AGENTS_FOLDER_VARIABLE = 'BULLPEN_AGENTS';

/** By what the system says of the folder of sandboxes. */
const DISK_CURES: Readonly<Record<string, string>> = {
  ENOSPC: 'Its disk is full: free space there.',
  EDQUOT: 'The quota of its disk is used up: free space there.',
  EROFS: 'Its disk cannot be written: make it writable again.',
  EACCES: 'The platform may not write there: give it the right to.',
};
const SWITCHED_OFF =
  'Sandboxes are not isolated, because BULLPEN_ISOLATION=none asks for that: agents run as plain processes with your rights. Unset it and start again to isolate them.';

const OBSERVE_INTERVAL_MS = 250;
const START_WAIT_ROUNDS = 200;
const START_WAIT_MS = 25;
const SANDBOX_ID = /^[0-9a-z][0-9a-z-]{0,63}$/;
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** All that a sandbox inherits of the platform's environment; a proxy is how it reaches the network at all. */
const INHERITED = ['LANG', 'LC_ALL', 'TZ', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/**
 * Sandboxes as processes on this machine that outlive the caller, under bubblewrap where it works. Several processes may
 * use one folder: each sees what the others made, and of two that make the same sandbox one does.
 * Looks for bubblewrap once, by using it.
 */
export function createLocalDriver(options: LocalDriverOptions): LocalDriver {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const warning = options.isolation === 'none' ? SWITCHED_OFF : missingIsolation(bubblewrapProblem());
  if (warning !== null) options.logger.warn('sandboxes run without isolation', { warning });
  return new LocalDriver({ ...options, folder: resolve(options.folder) }, warning);
}

export class LocalDriver implements SandboxDriver {
  readonly name = 'local';
  readonly supports: ReadonlySet<SandboxFeature>;
  readonly isolation: Isolation;
  readonly #options: LocalDriverOptions;
  readonly #calls = new Map<SandboxId, Promise<void>>();
  readonly #wakes = new Set<() => void>();

  constructor(
    options: LocalDriverOptions,
    readonly warning: string | null,
  ) {
    this.#options = options;
    this.isolation = warning === null ? 'bubblewrap' : 'none';
    this.supports = new Set<SandboxFeature>(warning === null ? ['isolation'] : []);
  }

  async *observe(signal: AbortSignal): AsyncIterable<SandboxObservation> {
    let known: ReadonlyMap<SandboxId, ObservedSandbox> | null = null;
    while (!signal.aborted) {
      const current = await this.#scan(known);
      if (current === null) this.#options.logger.warn('sandboxes cannot be listed', { folder: this.#options.folder });
      else if (known === null) yield { kind: 'resync', sandboxes: [...current.values()] };
      else yield* differences(known, current);
      known = current;
      await this.#pause(signal);
    }
  }

  apply(id: SandboxId, spec: SandboxSpec, signal: AbortSignal): Promise<void> {
    return this.#oneAtATime(id, async () => {
      const sandbox = this.#folderOf(id);
      if (sandbox.exists) return;
      try {
        signal.throwIfAborted();
        await this.#make(sandbox, spec, signal);
      } catch (cause) {
        if (cause instanceof Rejection || cause instanceof Bug) throw cause;
        throw applyFailed(id, cause);
      }
    });
  }

  remove(id: SandboxId, { keepWorkspace }: { readonly keepWorkspace: boolean }, signal: AbortSignal): Promise<void> {
    return this.#oneAtATime(id, async () => {
      signal.throwIfAborted();
      const sandbox = this.#folderOf(id);
      await endProcesses(id, await sandbox.processes());
      await sandbox.remove(keepWorkspace);
      this.#wake();
    });
  }

  async #make(sandbox: SandboxFolder, spec: SandboxSpec, signal: AbortSignal): Promise<void> {
    const older = spec.takeOver === null ? null : this.#folderOf(spec.takeOver);
    if (older) await endProcesses(older.id, await older.processes());
    await sandbox.prepare(spec, this.#runnerSpec(sandbox, spec), older);
    signal.throwIfAborted();
    // From here on it exists, whatever happens: an id never runs twice.
    const isOurs = await sandbox.writeRecord({ createdAt: new Date().toISOString(), bootId: await bootId() });
    if (!isOurs) return;
    await this.#spawn(sandbox, spec);
    await this.#waitForStart(sandbox);
    this.#wake();
  }

  async #spawn(sandbox: SandboxFolder, spec: SandboxSpec): Promise<void> {
    const names = Object.keys(spec.secrets);
    const invalid = names.find((name) => !VARIABLE_NAME.test(name));
    if (invalid !== undefined) throw new Bug('a secret must have the name of an environment variable');
    const command = this.#command(sandbox, spec);
    const child = spawn('/bin/sh', ['-c', WRAPPER, 'sh', sandbox.path, names.join(','), ...command], {
      env: { ...this.#environment(sandbox), ...spec.secrets },
      cwd: '/',
      detached: true,
      stdio: 'ignore',
    });
    await new Promise<void>((done, failed) => {
      child.once('spawn', done);
      child.once('error', failed);
    });
    child.once('exit', () => this.#wake());
    child.unref();
  }

  #command(sandbox: SandboxFolder, spec: SandboxSpec): string[] {
    const { nodeBinary, runnerFile, agentsFolder, folder } = this.#options;
    const node = realpathSync(nodeBinary);
    const runner = realpathSync(runnerFile);
    if (this.isolation === 'none') return [node, runner];
    return bubblewrapCommand({
      workspace: sandbox.file('workspace'),
      home: sandbox.file('home'),
      spool: sandbox.file('spool'),
      spec: sandbox.file('spec.json'),
      checkpoint: spec.checkpoint ? sandbox.file('checkpoint.bundle') : null,
      transcript: spec.transcript === null ? null : sandbox.file('transcript.md'),
      source: spec.sourcePath,
      nodeBinary: node,
      runnerFile: runner,
      runnerName: basename(runnerFile),
      agentsFolder,
      etc: writeMadeUpFiles(join(folder, '.etc')),
    });
  }

  #environment(sandbox: SandboxFolder): Record<string, string> {
    const { agentsFolder, nodeBinary } = this.#options;
    const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
    const isolated = this.isolation === 'bubblewrap';
    const nodeFolder = isolated ? dirname(INSIDE.node) : dirname(realpathSync(nodeBinary));
    return {
      ...(Object.fromEntries(inherited) as Record<string, string>),
      PATH: `${nodeFolder}:/usr/local/bin:/usr/bin:/bin`,
      HOME: isolated ? INSIDE.home : sandbox.file('home'),
      USER: 'sandbox',
      SHELL: '/bin/sh',
      [AGENTS_FOLDER_VARIABLE]: isolated ? INSIDE.agents : agentsFolder,
      [RUNNER_SPEC_VARIABLE]: isolated ? INSIDE.spec : sandbox.file('spec.json'),
      [SANDBOX_ID_VARIABLE]: sandbox.id,
    };
  }

  #runnerSpec(sandbox: SandboxFolder, spec: SandboxSpec): RunnerSpec {
    const isolated = this.isolation === 'bubblewrap';
    const place = (inside: string, name: string) => (isolated ? inside : sandbox.file(name));
    const { checkpoint } = spec;
    const bundlePath = place(INSIDE.checkpoint, 'checkpoint.bundle');
    return {
      ...spec.runner,
      sessionId: spec.sessionId,
      sandboxId: sandbox.id,
      generation: spec.generation,
      sourcePath: spec.sourcePath !== null && isolated ? INSIDE.source : spec.sourcePath,
      checkpoint: checkpoint && { sha: checkpoint.sha, base: checkpoint.base, bundlePath },
      transcriptPath: spec.transcript === null ? null : place(INSIDE.transcript, 'transcript.md'),
      paths: {
        workspace: place(INSIDE.workspace, 'workspace'),
        home: place(INSIDE.home, 'home'),
        spool: place(INSIDE.spool, 'spool'),
      },
    };
  }

  /** Until the wrapper has written who it is, so that a caller who ends right after `apply` still leaves something to find. */
  async #waitForStart(sandbox: SandboxFolder): Promise<void> {
    for (let round = 0; round < START_WAIT_ROUNDS && !existsSync(sandbox.file('process')); round += 1) {
      await new Promise((done) => setTimeout(done, START_WAIT_MS));
    }
  }

  /** Everything that exists; null when it cannot be told. What did not change is the same object as before. */
  async #scan(known: ReadonlyMap<SandboxId, ObservedSandbox> | null): Promise<Map<SandboxId, ObservedSandbox> | null> {
    const names = await readdir(this.#options.folder).catch(() => null);
    if (names === null) return null;
    const boot = await bootId();
    const found = new Map<SandboxId, ObservedSandbox>();
    for (const id of names.filter((name) => SANDBOX_ID.test(name))) {
      const sandbox = this.#folderOf(id);
      const observed = await sandbox.observe(boot, Date.now());
      if (observed === null) continue;
      const before = known?.get(id);
      const isSame =
        before?.phase === observed.phase && before.exitCode === observed.exitCode && before.signal === observed.signal;
      found.set(id, before && isSame ? before : { ...observed, logTail: await sandbox.logTail() });
    }
    return found;
  }

  #folderOf(id: SandboxId): SandboxFolder {
    if (!SANDBOX_ID.test(id)) throw new Bug('a sandbox id becomes a folder: lower-case letters, digits and "-" only');
    return new SandboxFolder(id, join(this.#options.folder, id));
  }

  #oneAtATime(id: SandboxId, call: () => Promise<void>): Promise<void> {
    const result = (this.#calls.get(id) ?? Promise.resolve()).then(call);
    const settled = result
      .catch(() => undefined)
      .then(() => {
        if (this.#calls.get(id) === settled) this.#calls.delete(id);
      });
    this.#calls.set(id, settled);
    return result;
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
  }

  async #pause(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((done) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        signal.removeEventListener('abort', wake);
        done();
      };
      const timer = setTimeout(wake, OBSERVE_INTERVAL_MS);
      this.#wakes.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}

function missingIsolation(problem: string | null): string | null {
  if (problem === null) return null;
  return `Sandboxes are not isolated: bubblewrap cannot be used (${problem}). Agents run as plain processes with your rights. Install bubblewrap, then start again.`;
}

function applyFailed(sandboxId: SandboxId, cause: unknown): Fault {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const next = DISK_CURES[code] ?? 'The log of the orchestrator has the cause.';
  const message = `Sandbox ${sandboxId} could not be made${code === '' ? '' : ` (${code})`}. ${next} Then retry.`;
  return new Fault('sandbox.apply-failed', message, { details: { sandboxId }, cause });
}

/** Who a sandbox's programs think they are, and what a source's configuration is replaced by. */
const MADE_UP_FILES = {
  passwd: 'root:x:0:0:root:/:/bin/sh\nsandbox:x:1000:1000:Sandbox:/home/sandbox:/bin/sh\n',
  group: 'root:x:0:\nsandbox:x:1000:\n',
  gitconfig: '[core]\n\trepositoryformatversion = 0\n\tbare = true\n',
} as const;

/** By a rename: sandboxes that run have the files open in their places, and must not find one empty. */
function writeMadeUpFiles(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of Object.entries(MADE_UP_FILES)) {
    writeFileSync(join(folder, `${name}.next`), text);
    renameSync(join(folder, `${name}.next`), join(folder, name));
  }
  return folder;
}
