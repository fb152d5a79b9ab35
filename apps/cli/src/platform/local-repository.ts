import { execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';

export interface GivenRepository {
  /** As the platform takes it. */
  readonly repository: string;
  /** Changes of a working copy on this machine that no commit holds yet, and that a session therefore lacks. */
  readonly uncommitted: number;
  /** Neither a URL nor a path: what the platform calls one of its repositories. */
  readonly isName: boolean;
}

const GIT_TIMEOUT_MS = 5_000;
const MAX_STATUS_BYTES = 16 * 1024 * 1024;

/**
 * Names and URLs stay. A path becomes absolute, because the platform has another working directory, and that of the working copy it
 * lies in, as git itself finds it.
 */
export function givenRepository(given: string, cwd: string): GivenRepository {
  if (/^[a-z][a-z+]*:\/\//i.test(given) || /^[^/]+@[^/]+:/.test(given)) return { repository: given, uncommitted: 0, isName: false };
  const isPath = given === '.' || given === '..' || /^(\/|\.\.?\/)/.test(given);
  const path = resolve(cwd, given);
  if (!isPath && (given === 'sample' || !isFolder(path))) return { repository: given, uncommitted: 0, isName: true };
  const top = isFolder(path) ? ask(path, ['rev-parse', '--show-toplevel']) : '';
  if (top === '') return { repository: path, uncommitted: 0, isName: false };
  const changes = ask(top, ['status', '--porcelain', '--ignore-submodules']);
  return { repository: top, uncommitted: changes === '' ? 0 : changes.split('\n').length, isName: false };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Empty also when git has no answer: then the platform says what is wrong with the path. */
function ask(folder: string, args: readonly string[]): string {
  try {
    const output = execFileSync('git', ['-C', folder, '--no-optional-locks', '-c', 'core.fsmonitor=false', ...args], {
      encoding: 'utf8',
      timeout: GIT_TIMEOUT_MS,
      maxBuffer: MAX_STATUS_BYTES,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return output.replace(/\n+$/, '');
  } catch {
    return '';
  }
}
