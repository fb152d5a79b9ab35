import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';

import { SANDBOX_ID_VARIABLE } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';

export interface GitOptions {
  readonly cwd?: string;
  /** Added to a minimal environment (PATH, HOME, LANG=C). */
  readonly environment?: Readonly<Record<string, string>>;
  /** `name=value` settings for this call. */
  readonly configuration?: readonly string[];
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** More on stdout than this ends git with the Fault `git.output-too-large`. */
  readonly maxOutputBytes?: number;
  readonly signal?: AbortSignal;
  /** Called with each line git writes to stderr: progress. */
  readonly onProgress?: (line: string) => void;
}

export interface GitResult {
  readonly stdout: Buffer;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const DEFAULT_OUTPUT_BYTES = 256 * 1024 * 1024;
const STDERR_BYTES = 8 * 1024;
const KILL_AFTER_MS = 2_000;
/** For what is left in the pipes of a git that ended: something in a session of its own may hold them open for ever. */
const DRAIN_MS = 2_000;

/** Of the caller's environment: what git needs to reach a remote, and what a sandbox's end looks for in its processes. */
const PASSED_ON = [
  ...['https_proxy', 'HTTPS_PROXY', 'no_proxy', 'NO_PROXY', 'SSH_AUTH_SOCK', 'SSL_CERT_FILE', 'GIT_SSL_CAINFO'],
  SANDBOX_ID_VARIABLE,
];

/** What a repository's own configuration could make git run is switched off, and git never asks a question. */
const SAFE_CONFIGURATION = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'protocol.ext.allow=never',
  'gc.auto=0',
  'maintenance.auto=false',
];

/** git ended with an error. `stderr` holds its last 8 KB; callers classify by exit code and arguments, and quote it to people. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  constructor(
    readonly verb: string,
    readonly exitCode: number,
    readonly stderr: string,
    readonly stdout: Buffer = Buffer.alloc(0),
  ) {
    super(`git ${verb} ended with ${exitCode}: ${lastLine(stderr)}`);
  }
}

/** For `.catch`: git ended with an error, and `value` says what that means. Time-outs and the like still throw. */
export function unlessGitFailed<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof GitFailed) return value;
    throw error;
  };
}

/** What git said last, for a person. */
export function lastLine(stderr: string): string {
  return stderr.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
}

/**
 * Runs git with hooks and file-system monitors off. On a time-out or an abort git and everything it started is ended.
 *
 * @throws GitFailed when it ends with an error; Fault `git.timeout`, `git.aborted`, `git.output-too-large`, `git.missing`, `disk.full`
 */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const verb = args.find((arg) => !arg.startsWith('-')) ?? '';
  if (options.signal?.aborted) throw stoppedFault('aborted', verb, 0);
  const configuration = [...SAFE_CONFIGURATION, ...(options.configuration ?? [])].flatMap((entry) => ['-c', entry]);
  const child = spawn('git', [...configuration, ...args], {
    cwd: options.cwd,
    env: gitEnvironment(options.environment),
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: git's helpers (ssh, remote-https, upload-pack) hold its pipes and must end with it.
    detached: true,
  });
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let stopped: Stopped | null = null;
  const stop = (why: Stopped) => {
    if (stopped) return;
    stopped = why;
    endGroup(child.pid, 'SIGTERM');
    setTimeout(() => endGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS).unref();
  };
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  const onAbort = () => stop('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const output = collectOutput(child, options, () => stop('output-too-large'));
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  try {
    const exitCode = await exitOf(child);
    if (stopped) throw stoppedFault(stopped, verb, timeoutMs);
    const { stdout, stderr } = output();
    if (exitCode !== 0 && NO_ROOM.test(stderr)) throw diskFull(verb, stderr);
    if (exitCode !== 0) throw new GitFailed(verb, exitCode, stderr, stdout);
    return { stdout, stderr };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}

/** git has one exit code for everything; it speaks English here. */
const NO_ROOM = /No space left on device|Disk quota exceeded/;

function diskFull(verb: string, stderr: string): Fault {
  const why = stderr.split('\n').find((line) => NO_ROOM.test(line))?.slice(0, 300) ?? '';
  return new Fault('disk.full', `git ${verb} found the platform's disk full: ${why}. Free space there, then try again.`, { details: { verb } });
}

type Stopped = 'timeout' | 'aborted' | 'output-too-large';

function stoppedFault(why: Stopped, verb: string, timeoutMs: number): Fault {
  switch (why) {
    case 'timeout':
      return new Fault('git.timeout', `git ${verb} took longer than ${timeoutMs} ms and was stopped. Try again later.`, {
        details: { verb, timeoutMs },
      });
    case 'aborted':
      return new Fault('git.aborted', `git ${verb} was stopped because its result is no longer wanted.`, { details: { verb } });
    case 'output-too-large':
      return new Fault('git.output-too-large', `git ${verb} wrote more than the limit and was stopped.`, { details: { verb } });
  }
}

function gitEnvironment(added: GitOptions['environment']): Record<string, string> {
  const passedOn = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]));
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: process.env['HOME'] ?? '/',
    LANG: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_ASKPASS: 'true',
    // No shared connection: its master would outlive the call, and hold its pipes.
    GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10 -oControlMaster=no -oControlPath=none',
    GIT_ALLOW_PROTOCOL: 'file:https:ssh',
    ...(Object.fromEntries(passedOn) as Record<string, string>),
    ...added,
  };
}

function collectOutput(child: ChildProcessWithoutNullStreams, options: GitOptions, onTooLarge: () => void): () => GitResult {
  const limit = options.maxOutputBytes ?? DEFAULT_OUTPUT_BYTES;
  const stdout: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > limit) onTooLarge();
    else stdout.push(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-STDERR_BYTES);
    if (options.onProgress) for (const line of chunk.split(/[\r\n]+/)) if (line) options.onProgress(line);
  });
  return () => ({ stdout: Buffer.concat(stdout), stderr });
}

function exitOf(child: ChildProcessWithoutNullStreams): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(new Fault('git.missing', 'git could not be started. Install git.', { cause })));
    child.once('close', (code) => resolve(code ?? -1));
    child.once('exit', () => {
      const giveUp = () => {
        child.stdout.destroy();
        child.stderr.destroy();
      };
      // Only after a look at the pipes: this process itself may have stood still.
      const drained = setTimeout(() => setImmediate(giveUp), DRAIN_MS);
      child.once('close', () => clearTimeout(drained));
    });
  });
}

function endGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // Already gone.
  }
}
