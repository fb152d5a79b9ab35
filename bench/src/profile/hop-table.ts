import type { LoadResult } from '../load-runs.js';
import { markdown, percentile, short } from '../statistics.js';
import { HOPS } from './profile-file.js';
import type { Hop, ProfileFile } from './profile-file.js';

/** Milliseconds from hop to hop. The shares are of the mean, which, unlike percentiles, adds up. */
export function hopTable(times: ProfileFile['times'], { made, latencies }: LoadResult): string {
  const spent = new Map<Hop, number[]>(hops().map((hop) => [hop, []]));
  for (const [index, at] of made.entries()) {
    const passed = passing(times, at, at + (latencies[index] ?? 0));
    if (passed === null) continue;
    for (const [place, hop] of hops().entries()) spent.get(hop)?.push((passed[place] ?? 0) - (passed[place - 1] ?? at));
  }
  const total = mean(latencies);
  const row = (name: string, values: readonly number[]): string[] => {
    return [name, short(percentile(values, 50)), short(percentile(values, 99)), `${((mean(values) / total) * 100).toFixed(0)} %`];
  };
  const rows = hops().map((hop) => row(HOPS[hop], spent.get(hop) ?? []));
  return markdown(['hop', 'p50 ms', 'p99 ms', 'of the mean'], [...rows, row('all', latencies)]);
}

/** Null for an event that was not seen everywhere. */
function passing(times: ProfileFile['times'], made: number, received: number): readonly number[] | null {
  const all = hops().map((hop) => (hop === 'received' ? received : times[hop][made.toFixed(3)]));
  return all.every((at) => at !== undefined) ? all : null;
}

function hops(): readonly Hop[] {
  return Object.keys(HOPS) as Hop[];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
