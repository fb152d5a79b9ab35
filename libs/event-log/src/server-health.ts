import { connect } from '@nats-io/transport-node';
import type { NatsConnection } from '@nats-io/transport-node';

import { healthSubject, inboxPrefixOf, SYSTEM_USER } from './server-config.js';

const ANSWER_TIMEOUT_MS = 2_000;
const RECONNECT_WAIT_MS = 500;

/** How one NATS server of ours says it is. */
export interface ServerHealth {
  /**
   * Why it does not store any more, in its own words: after a failed write it refuses every further one, also once there is room again, until
   * it is started anew. Null when it does, or does not answer.
   */
  ailment(): Promise<string | null>;
  close(): Promise<void>;
}

/** @param password of the user `admin` */
export async function connectServerHealth({ url, password }: { readonly url: string; readonly password: string }): Promise<ServerHealth> {
  const nats = await connect({
    servers: url,
    user: SYSTEM_USER,
    pass: password,
    name: 'bullpen-health',
    inboxPrefix: inboxPrefixOf(SYSTEM_USER),
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    ignoreAuthErrorAbort: true,
    noAsyncTraces: true,
  });
  return { ailment: () => ailment(nats), close: () => nats.close() };
}

async function ailment(nats: NatsConnection): Promise<string | null> {
  try {
    const answer = await nats.request(healthSubject(nats.info?.server_id ?? ''), undefined, { timeout: ANSWER_TIMEOUT_MS });
    const { data } = answer.json<{ readonly data?: { readonly status?: string; readonly error?: string } }>();
    return data?.status === 'unavailable' ? (data.error ?? data.status) : null;
  } catch {
    return null;
  }
}
