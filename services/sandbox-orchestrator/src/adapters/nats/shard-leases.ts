import { setTimeout as delay } from 'node:timers/promises';

import { LEASE_TTL_MS } from '@bullpen/event-log';
import type { Lease, Leases } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import { SHARD_COUNT, planShards, shardOf } from '../../core/shards.js';
import type { ShardLease } from '../../core/shards.js';
import { ownedShards } from '../metrics.js';

/** Between two looks at the leases. Three renewals fit into the time for which a lease is trusted. */
const ROUND_MS = LEASE_TTL_MS / 4;
/** A lease is acted on for so long after its renewal was sent: it runs out here before it runs out at the server. */
const TRUST_MS = LEASE_TTL_MS - ROUND_MS;
const SHARD_PREFIX = 'shard.';
const REPLICA_PREFIX = 'replica.';

export interface ShardLeasesParts {
  readonly leases: Leases;
  /** Names this replica, and its next process at the same place, which takes over what the one before held. */
  readonly me: string;
  /** Resolves once everything is known that acting on these shards needs. Until then they count as not owned; a rejection is tried again. */
  readonly onGained: (shards: ReadonlySet<number>) => Promise<void>;
  /** More is owned than before. */
  readonly onOwned: () => void;
  /** These must not be acted on any more. */
  readonly onLost: (shards: ReadonlySet<number>) => void;
  readonly logger: Logger;
}

/** The same object for as long as nobody else can have acted on the shard. */
interface HeldShard {
  revision: number;
  /** On the monotonic clock, which goes on while the process is stopped. */
  trustedUntil: number;
  /** Everything needed to act is known. */
  isOwned: boolean;
}

/**
 * The shards that this replica owns: a lease each, renewed while it lives. A process that was stopped finds its leases run out as soon as it
 * runs again, before it asks anybody.
 */
export class ShardLeases {
  readonly #held = new Map<number, HeldShard>();
  readonly #stopping = new AbortController();
  #replicaRevision = 0;
  #rounds: Promise<void> = Promise.resolve();
  /** Beside the rounds: while it is found out what was gained, what is owned must be renewed. */
  #gaining: Promise<void> | null = null;
  readonly #measurement = ownedShards.follow(() => this.count);

  private constructor(private readonly parts: ShardLeasesParts) {}

  /** Resolves after the first round: one alone then owns everything. @throws Fault `log.unavailable` */
  static async start(parts: ShardLeasesParts): Promise<ShardLeases> {
    const shards = new ShardLeases(parts);
    await shards.#round();
    await shards.#gaining;
    shards.#rounds = shards.#keepRound();
    return shards;
  }

  owns(sessionId: string): boolean {
    const held = this.#held.get(shardOf(sessionId));
    return held !== undefined && held.isOwned && performance.now() < held.trustedUntil;
  }

  get count(): number {
    return [...this.#held.values()].filter(({ isOwned, trustedUntil }) => isOwned && performance.now() < trustedUntil).length;
  }

  /** The process may have stood still for longer than its clock says: everything is asked for anew. */
  doubt(): void {
    this.#lose([...this.#held.keys()]);
  }

  /** Gives everything back, so that others need not wait. Only once nothing acts on it any more. Never throws. */
  async stop(): Promise<void> {
    this.#measurement();
    this.#stopping.abort();
    await this.#rounds;
    await this.#gaining;
    const entries = [...this.#held].map(([shard, { revision }]) => ({ key: `${SHARD_PREFIX}${shard}`, revision }));
    this.#held.clear();
    const all = [...entries, { key: this.#replicaKey, revision: this.#replicaRevision }];
    await Promise.allSettled(all.map((entry) => this.parts.leases.put({ ...entry, holder: '' })));
  }

  async #keepRound(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await delay(ROUND_MS, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#round();
      } catch (error) {
        this.parts.logger.warn('leases cannot be renewed', { error });
      }
      this.#loseRunOut();
    }
  }

  async #round(): Promise<void> {
    const { leases, me } = this.parts;
    const sentAt = performance.now();
    const entries = await leases.list();
    const replicas = entries.filter(({ key, holder }) => key.startsWith(REPLICA_PREFIX) && holder !== '').map(({ holder }) => holder);
    const plan = planShards(me, replicas, shardLeases(entries));
    // What another has taken meanwhile is not ours, whatever we thought.
    const planned = new Set([...plan.renew, ...plan.take].map(({ shard }) => shard));
    this.#lose([...this.#held.keys()].filter((shard) => !planned.has(shard)));
    await Promise.all([
      this.#announce(entries.find(({ key }) => key === this.#replicaKey)?.revision ?? 0),
      ...[...plan.renew, ...plan.take].map((lease) => this.#keep(lease, sentAt)),
      ...plan.release.map(({ shard, revision }) => leases.put({ key: `${SHARD_PREFIX}${shard}`, holder: '', revision })),
    ]);
    this.#gaining ??= this.#own().finally(() => (this.#gaining = null));
  }

  async #announce(revision: number): Promise<void> {
    this.#replicaRevision = (await this.parts.leases.put({ key: this.#replicaKey, holder: this.parts.me, revision })) ?? 0;
  }

  async #keep({ shard, revision }: ShardLease, sentAt: number): Promise<void> {
    const { leases, me } = this.parts;
    const renewed = await leases.put({ key: `${SHARD_PREFIX}${shard}`, holder: me, revision });
    if (renewed === null) return this.#lose([shard]);
    const known = this.#held.get(shard);
    const trustedUntil = sentAt + TRUST_MS;
    if (known && performance.now() < known.trustedUntil) return void Object.assign(known, { revision: renewed, trustedUntil });
    // One that ran out is gained anew: others may have acted in between.
    this.#lose([shard]);
    this.#held.set(shard, { revision: renewed, trustedUntil, isOwned: false });
  }

  async #own(): Promise<void> {
    const gaining = [...this.#held].filter(([, { isOwned }]) => !isOwned);
    const gained = gaining.map(([shard]) => shard);
    if (gained.length === 0) return;
    const { onGained, onOwned, logger } = this.parts;
    try {
      await onGained(new Set(gained));
    } catch (error) {
      return logger.warn('shards cannot be acted on yet', { shards: gained, error });
    }
    // What was lost meanwhile, and perhaps held again, another may have acted on since.
    for (const [shard, held] of gaining) held.isOwned = this.#held.get(shard) === held;
    logger.info('shards gained', { shards: gained, owned: this.count });
    onOwned();
  }

  #loseRunOut(): void {
    const now = performance.now();
    this.#lose([...this.#held].filter(([, { trustedUntil }]) => now >= trustedUntil).map(([shard]) => shard));
  }

  #lose(shards: readonly number[]): void {
    const owned = shards.filter((shard) => this.#held.get(shard)?.isOwned === true);
    for (const shard of shards) this.#held.delete(shard);
    if (owned.length === 0) return;
    this.parts.logger.info('shards lost', { shards: owned, owned: this.count });
    this.parts.onLost(new Set(owned));
  }

  get #replicaKey(): string {
    return `${REPLICA_PREFIX}${this.parts.me.replaceAll(/[^0-9A-Za-z]+/g, '-')}`;
  }
}

function shardLeases(entries: readonly Lease[]): ShardLease[] {
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  return Array.from({ length: SHARD_COUNT }, (_, shard) => {
    const entry = byKey.get(`${SHARD_PREFIX}${shard}`);
    return { shard, holder: entry?.holder ?? '', revision: entry?.revision ?? 0 };
  });
}
