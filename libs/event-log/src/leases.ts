import { JetStreamApiError } from '@nats-io/jetstream';

import { assert } from '@bullpen/errors';

import { asFailure, LogConnection } from './connection.js';
import type { LogCredentials } from './connection.js';
import { readDirectBatch } from './direct-batch.js';
import { LEASE_BUCKET, LEASE_SUBJECTS } from './server-config.js';

/** An entry that nobody renewed for this long is gone; the server's clock alone counts. */
export const LEASE_TTL_MS = 12_000;
export const MAX_LEASES = 256;

const STREAM = `KV_${LEASE_BUCKET}`;
const SUBJECT_PREFIX = LEASE_SUBJECTS.slice(0, -1);
const KEY = /^[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*$/;
const WRONG_LAST_SEQUENCE: readonly number[] = [10071, 10164];

export interface Lease {
  readonly key: string;
  /** Empty: given back. */
  readonly holder: string;
  readonly revision: number;
}

/** Who may act on what, for a while. A lease saves work and conflicts; what keeps the log right is the log's own expected sequences. */
export interface Leases {
  /** Those that have not run out. From any server, so one may be a moment old: `put` decides. @throws Fault `log.unavailable` */
  list(): Promise<readonly Lease[]>;
  /**
   * Takes, renews, or gives back (an empty holder). The revision to name next time; null when the entry is not as `revision` has it, 0
   * meaning none. After a Fault it may have been done or not: `list` tells.
   *
   * @throws Fault `log.unavailable`
   */
  put(lease: Lease): Promise<number | null>;
  close(): Promise<void>;
}

/** @throws Fault `log.unavailable`, Rejection `log.not-authorized`, `nats.version` */
export async function connectLeases(credentials: LogCredentials): Promise<Leases> {
  return new KeyValueLeases(await LogConnection.open(credentials));
}

class KeyValueLeases implements Leases {
  constructor(private readonly connection: LogConnection) {}

  list(): Promise<readonly Lease[]> {
    return listLeases(this.connection);
  }

  async put({ key, holder, revision }: Lease): Promise<number | null> {
    assert(KEY.test(key), `${key} is no key of a lease`);
    const expect = { streamName: STREAM, lastSubjectSequence: revision };
    try {
      const acknowledged = await this.connection.once(() => this.connection.js.publish(`${SUBJECT_PREFIX}${key}`, holder, { expect }));
      return acknowledged.seq;
    } catch (error) {
      if (error instanceof JetStreamApiError && WRONG_LAST_SEQUENCE.includes(error.code)) return null;
      throw asFailure('change a lease', error);
    }
  }

  close(): Promise<void> {
    return this.connection.close();
  }
}

export async function listLeases(connection: LogConnection): Promise<readonly Lease[]> {
  const query = { multi_last: [LEASE_SUBJECTS], batch: MAX_LEASES };
  const read = () => readDirectBatch((callback) => connection.jsm.direct.getLastMessagesFor(STREAM, { ...query, callback }));
  try {
    const entries = await connection.once(read);
    return entries.map(({ subject, data, seq }) => {
      return { key: subject.slice(SUBJECT_PREFIX.length), holder: new TextDecoder().decode(data), revision: seq };
    });
  } catch (error) {
    throw asFailure('read the leases', error);
  }
}

/** Of the bucket's stream, named as the NATS tools name a key-value bucket's. */
export function leaseStreamConfig(replicas: number) {
  return {
    name: STREAM,
    subjects: [LEASE_SUBJECTS],
    max_msgs_per_subject: 1,
    max_age: LEASE_TTL_MS * 1e6,
    deny_delete: true,
    allow_rollup_hdrs: true,
    allow_direct: true,
    num_replicas: replicas,
    // Not `persist_mode: async`: a killed server would forget leases that are still trusted.
  };
}

