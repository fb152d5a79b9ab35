import { spawn } from 'node:child_process';

import { Fault } from '@bullpen/errors';

export interface GitOptions {
  readonly cwd?: string;
  /** Added to a minimal environment (PATH, HOME, LANG=C). */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called with each line git writes to stderr: progress. */
  readonly onProgress?: (line: string) => void;
}

export interface GitResult {
  readonly stdout: Buffer;
  readonly stderr: string;
}

const DEFAULT_TIMEOUT_MS = 60_000;
const STDERR_BYTES = 8 * 1024;
const KILL_AFTER_MS = 2_000;

/** What a repository's own configuration could make git run is switched off, and git never asks a question. */
const SAFE_CONFIGURATION = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'protocol.ext.allow=never', 'gc.auto=0', 'maintenance.auto=false'];

/** git ended with an error. `stderr` holds its last 8 KB; callers classify by exit code and arguments, and quote it to people. */
export class GitFailed extends Error {
  override readonly name = 'GitFailed';
  constructor(
    readonly verb: string,
    readonly exitCode: number,
    readonly stderr: string,
  ) {
    super(`git ${verb} ended with ${exitCode}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  }
}

/**
 * Runs git with hooks and file-system monitors off.
 *
 * @throws GitFailed when it ends with an error; Fault `git.timeout`, `git.missing`
 */
export async function git(args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const verb = args.find((arg) => !arg.startsWith('-')) ?? '';
  const configuration = SAFE_CONFIGURATION.flatMap((entry) => ['-c', entry]);
  const child = spawn('git', [...configuration, ...args], {
    cwd: options.cwd,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: process.env['HOME'] ?? '/',
      LANG: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_ASKPASS: 'true',
      GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oConnectTimeout=10',
      GIT_ALLOW_PROTOCOL: 'file:https:ssh',
      ...options.environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  let stopped: 'timeout' | 'aborted' | null = null;
  const stop = (why: 'timeout' | 'aborted') => {
    stopped = why;
    child.kill('SIGTERM');
    setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS).unref();
  };
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  const onAbort = () => stop('aborted');
  options.signal?.addEventListener('abort', onAbort, { once: true });

  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-STDERR_BYTES);
    if (options.onProgress) for (const line of chunk.split(/[\r\n]+/)) if (line) options.onProgress(line);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new Fault('git.missing', 'git could not be started. Install git.', { cause })));
      child.once('close', (code) => resolve(code ?? -1));
    });
    if (stopped) throw new Fault('git.timeout', `git ${verb} was stopped (${stopped}) after ${timeoutMs} ms.`, { details: { verb } });
    if (exitCode !== 0) throw new GitFailed(verb, exitCode, stderr);
    return { stdout: Buffer.concat(stdout), stderr };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', onAbort);
  }
}
