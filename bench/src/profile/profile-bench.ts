import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { startBenchPlatform } from '../bench-platform.js';
import { throughPlatform } from '../load-runs.js';
import type { LoadResult } from '../load-runs.js';
import { markdown } from '../statistics.js';
import { cpuShares } from './cpu-shares.js';
import type { CpuProfile } from './cpu-shares.js';
import { hopTable } from './hop-table.js';
import { PROFILE_VARIABLE } from './profile-file.js';
import type { ProfileFile } from './profile-file.js';

const RATES = [100, 1_000];
const SECONDS = 4;
const EVENT_BYTES = 200;
const CPU_ROWS = 14;

/** Where an event's time goes, hop by hop, and whose code the platform's process runs meanwhile. The profiles stay in a temp folder. */
export async function benchProfile(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bullpen-profile-'));
  const parts: string[] = [];
  for (const perSecond of RATES) {
    const path = join(folder, String(perSecond));
    const result = await profiledRun(path, perSecond);
    const { times } = JSON.parse(readFileSync(`${path}.hops.json`, 'utf8')) as ProfileFile;
    const cpu = cpuShares(JSON.parse(readFileSync(`${path}.cpuprofile`, 'utf8')) as CpuProfile);
    parts.push(`## ${perSecond.toLocaleString('en')} events/s`, hopTable(times, result));
    parts.push(`CPU of the platform's process: ${cpu.busyPercent.toFixed(0)} % busy`, markdown(['whose', 'of the busy time'], cpu.shares.slice(0, CPU_ROWS)));
  }
  return [...parts, `Profiles: ${folder}`].join('\n\n');
}

async function profiledRun(path: string, perSecond: number): Promise<LoadResult> {
  const bench = join(import.meta.dirname, '..');
  const platform = await startBenchPlatform({
    BULLPEN_RUNNER: join(bench, 'load-runner.js'),
    BULLPEN_ISOLATION: 'none',
    NODE_OPTIONS: `--import=${pathToFileURL(join(import.meta.dirname, 'instrument.js')).href}`,
    [PROFILE_VARIABLE]: path,
  });
  try {
    const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample' });
    const load = { perSecond, bytes: EVENT_BYTES };
    // Code that was never run before is slower than it will be.
    await throughPlatform(platform, id, { ...load, events: perSecond });
    return await throughPlatform(platform, id, { ...load, events: perSecond * SECONDS });
  } finally {
    await platform.stop();
  }
}
