/** Sessions are spread over this many shards for ever: their number is part of what replicas agree on. */
export const SHARD_COUNT = 16;

/** FNV-1a, 32 bits. */
const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** The same session, the same shard, in every replica and every build. */
export function shardOf(sessionId: string): number {
  let hash = OFFSET_BASIS;
  for (const character of sessionId) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), PRIME) >>> 0;
  return hash % SHARD_COUNT;
}

/** Of the session that a sandbox belongs to. */
export function shardOfSandbox(sandboxId: string): number {
  return shardOf(sandboxId.slice(0, sandboxId.lastIndexOf('-')));
}

/** Who holds a shard, as the last look at the leases says. */
export interface ShardLease {
  readonly shard: number;
  /** Empty: nobody. */
  readonly holder: string;
  /** 0: there is no entry. */
  readonly revision: number;
}

export interface ShardPlan {
  readonly renew: readonly ShardLease[];
  readonly take: readonly ShardLease[];
  /** More than this replica's part: another one lives that has less. */
  readonly release: readonly ShardLease[];
}

/**
 * What one replica does next. Each renews what is its part, gives back what is more, and takes of what is free as much as it lacks, so that
 * replicas that see each other settle on equal parts, and one alone has all. Every shard is in `leases` once.
 */
export function planShards(me: string, replicas: readonly string[], leases: readonly ShardLease[]): ShardPlan {
  const part = partOf(me, replicas);
  const mine = leases.filter(({ holder }) => holder === me);
  const free = leases.filter(({ holder }) => holder === '');
  return { renew: mine.slice(0, part), take: free.slice(0, Math.max(0, part - mine.length)), release: mine.slice(part) };
}

function partOf(me: string, replicas: readonly string[]): number {
  const all = [...new Set([...replicas, me])].toSorted();
  return Math.floor(SHARD_COUNT / all.length) + (all.indexOf(me) < SHARD_COUNT % all.length ? 1 : 0);
}
