import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Row } from './statistics.js';

const SETTLE_MS = 3_000;

/**
 * The platform's process at rest, beside a Node process that does nothing. Own pages only: a share of the program's depends on how many other Node
 * processes run.
 */
export async function memoryRow(platformPid: number): Promise<Row> {
  const empty = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const row = { what: 'memory of the idle platform process', unit: 'MB', bullpen: megabytes(platformPid), bare: megabytes(empty.pid ?? 0), bareIs: 'an empty Node process' };
  empty.kill();
  return row;
}

function megabytes(pid: number): number {
  const kilobytes = /^Anonymous:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
  if (kilobytes === undefined) throw new Error(`no memory figure of process ${pid}`);
  return Number(kilobytes) / 1024;
}
