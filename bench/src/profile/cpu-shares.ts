/** What is read of V8's `.cpuprofile`. */
export interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string; readonly url: string } }[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

export interface CpuShares {
  readonly busyPercent: number;
  /** Whose code ran, and in how many percent of the busy time; the largest first. */
  readonly shares: readonly (readonly [owner: string, percent: string])[];
}

const IDLE = '(idle)';

/** Self time by package: a library, a project of this repository, Node itself, or what V8 names in brackets. */
export function cpuShares({ nodes, samples = [], timeDeltas = [] }: CpuProfile): CpuShares {
  const owners = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const spent = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id) ?? '(unknown)';
    spent.set(owner, (spent.get(owner) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const total = [...spent.values()].reduce((sum, time) => sum + time, 0);
  const busy = total - (spent.get(IDLE) ?? 0);
  spent.delete(IDLE);
  const sorted = [...spent].sort(([, a], [, b]) => b - a);
  return { busyPercent: (busy / total) * 100, shares: sorted.map(([owner, time]) => [owner, `${((time / busy) * 100).toFixed(1)} %`]) };
}

function ownerOf({ functionName, url }: { readonly functionName: string; readonly url: string }): string {
  const library = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
  if (library !== undefined) return library;
  const project = /\/((?:libs|services|apps|bench)\/(?:(?:agents|sandbox-drivers)\/)?[^/]+)\/dist\//.exec(url)?.[1];
  if (project !== undefined) return project;
  if (url.startsWith('node:')) return 'node';
  return url === '' ? functionName : url;
}
