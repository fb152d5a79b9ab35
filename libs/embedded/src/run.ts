import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { Fault } from '@bullpen/errors';

const execute = promisify(execFile);

/** @throws Fault `embedded.failed` with the program's last words */
export async function run(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  try {
    const { stdout } = await execute(command, [...args], {
      timeout: timeoutMs,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    });
    return stdout;
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim().slice(-1_000) : '';
    throw new Fault('embedded.failed', `Cannot run ${command}: ${output || String(error)}`, {
      cause: error,
      details: { command },
    });
  }
}
