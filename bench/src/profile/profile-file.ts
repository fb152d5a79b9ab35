/** Environment of a profiled platform: where it leaves `….hops.json` and `….cpuprofile`. */
export const PROFILE_VARIABLE = 'BULLPEN_BENCH_PROFILE';

/** An event's way, in order. `received` is seen by the client, all others in the platform's process. */
export const HOPS = {
  linked: 'made → on the link',
  published: 'checked, batched, encoded → sent to the log',
  stored: 'taken by the log server, before its sync',
  tailed: 'synced, delivered to the gateway',
  emitted: 'stamped, cut into batches',
  written: 'encoded, compressed, written to the socket',
  received: 'read, unpacked, parsed by the client',
} as const;
export type Hop = keyof typeof HOPS;

/** When an event passed each hop, by when it was made; milliseconds since 1970. */
export interface ProfileFile {
  readonly times: Readonly<Record<Exclude<Hop, 'received'>, Readonly<Record<string, number>>>>;
}
