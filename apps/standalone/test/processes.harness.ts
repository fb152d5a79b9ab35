import { readFileSync, readdirSync } from 'node:fs';

export interface FoundProcess {
  readonly pid: number;
  readonly commandLine: string;
}

/** Living processes whose environment has this entry: everything that a sandbox started, wherever it was re-parented to. */
export function processesWithEnvironment(entry: string): FoundProcess[] {
  return livingProcesses().filter(({ pid }) => read(`/proc/${pid}/environ`).split('\0').includes(entry));
}

/** Living processes whose command line holds this text. */
export function processesWithCommand(text: string): FoundProcess[] {
  return livingProcesses().filter(({ commandLine }) => commandLine.includes(text));
}

/** The runner inside a sandbox: the process that was started to run the bundled file. */
export function findRunner(sandboxId: string): FoundProcess | undefined {
  const inSandbox = processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxId}`);
  // The eldest: a child that it has forked and that has not become another program yet looks the same.
  return inSandbox.find(({ commandLine }) => /runner\.mjs/.test(commandLine) && !/^\S*(bwrap|sh) /.test(commandLine));
}

export function runnerOf(sandboxId: string): FoundProcess {
  const runner = findRunner(sandboxId);
  if (!runner) throw new Error(`no runner of ${sandboxId} among ${JSON.stringify(processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxId}`))}`);
  return runner;
}

/** The agent's program, by the name it gives itself. */
export function findAgent(sandboxId: string): FoundProcess | undefined {
  return processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxId}`).find(({ commandLine }) => commandLine === 'pi');
}

/** Children, their children, and so on. */
export function descendantsOf(pid: number): number[] {
  const children = livingProcesses().filter((found) => read(`/proc/${found.pid}/stat`).replace(/^.*\) \S /, '').startsWith(`${pid} `));
  return children.flatMap((child) => [child.pid, ...descendantsOf(child.pid)]);
}

/** A zombie counts as dead. */
export function isLiving(pid: number): boolean {
  return livingProcesses().some((found) => found.pid === pid);
}

function livingProcesses(): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => !/\) [ZX] /.test(read(`/proc/${pid}/stat`)))
    .map((pid) => ({ pid: Number(pid), commandLine: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ commandLine }) => commandLine !== '');
}

/** A process may end between listing and reading. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
