import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A zombie counts as dead. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  return stateOf(pid) !== 'Z';
}

/** Living processes whose working folder this is; none where there is no /proc. */
export function processesIn(folder: string): number[] {
  return processIds().filter((pid) => workingFolderOf(pid) === folder && isRunning(pid));
}

/** Living processes that were started with these arguments, one behind the other; none where there is no /proc. */
export function processesWithArguments(...wanted: readonly string[]): number[] {
  return processIds().filter((pid) => commandLineOf(pid).includes(`\0${wanted.join('\0')}\0`) && isRunning(pid));
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function workingFolderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** The program, then its arguments, each with a zero byte behind it. */
function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The letter after the command's name in /proc/<pid>/stat; the name may itself hold spaces and brackets. */
function stateOf(pid: number): string | null {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return line.slice(line.lastIndexOf(')') + 2, line.lastIndexOf(')') + 3);
  } catch {
    return null;
  }
}
