import { randomBytes } from 'node:crypto';

import { DiscardPolicy, JetStreamApiError, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import type { StreamConfig } from '@nats-io/jetstream';

import { CURRENT_PARTITION } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { LogConnection } from './connection.js';
import { leaseStreamConfig } from './leases.js';
import { EVENT_STREAM } from './server-config.js';
import { SUBJECT_ROOT } from './subjects.js';

const EPOCH_KEY = 'bullpen.epoch';
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;
const DEDUPE_WINDOW_NS = 2 * 60 * 1e9;
/** An append, its headers, and room. */
const MINIMUM_MAX_PAYLOAD = 1024 * 1024;

export interface EnsureStreamOptions {
  readonly url: string;
  /** Of the user `admin`. */
  readonly password: string;
  readonly logger: Logger;
  /** 1 embedded, 3 in a cluster. */
  readonly replicas?: number;
  /** How long a server that does not answer is waited for. */
  readonly withinMs?: number;
}

export interface EnsuredStream {
  readonly epoch: string;
  /** False: the server lets everybody in, so that nothing keeps one service from writing what is another's. */
  readonly authRequired: boolean;
}

/**
 * Makes the stream and the bucket of leases when there are none, reads its configuration back and compares it: a server drops flags that it does not know
 * without a word. May be repeated, also by several processes at once; an existing stream keeps its epoch.
 *
 * @throws Rejection `log.stream-differs` naming the settings, `nats.version`, `nats.max-payload`; Fault `log.unavailable`
 */
export async function ensureEventStream({
  url,
  password,
  logger,
  replicas = 1,
  withinMs,
}: EnsureStreamOptions): Promise<EnsuredStream> {
  const connection = await LogConnection.open({ url, user: 'admin', password, logger }, withinMs);
  try {
    requirePayload(connection.nats.info?.max_payload ?? 0);
    const wanted = streamConfig(replicas);
    const found = (await readConfig(connection)) ?? (await create(connection, wanted, logger));
    requireSame(wanted, found);
    await ensureLeases(connection, replicas);
    return { epoch: epochOf(found), authRequired: connection.nats.info?.auth_required === true };
  } finally {
    await connection.close();
  }
}

/** @throws Fault `log.not-prepared` */
export async function readEpoch(connection: LogConnection): Promise<string> {
  const config = await readConfig(connection);
  if (config !== null) return epochOf(config);
  throw new Fault('log.not-prepared', `The event log has no stream ${EVENT_STREAM} yet. Start the platform's set-up first.`);
}

function streamConfig(replicas: number) {
  return {
    name: EVENT_STREAM,
    subjects: [`${SUBJECT_ROOT}.${CURRENT_PARTITION}.>`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: -1,
    duplicate_window: DEDUPE_WINDOW_NS,
    num_replicas: replicas,
    allow_direct: true,
    deny_delete: false,
  } satisfies Partial<StreamConfig>;
}

type WantedConfig = ReturnType<typeof streamConfig>;

async function create(connection: LogConnection, wanted: WantedConfig, logger: Logger): Promise<StreamConfig> {
  const metadata = { [EPOCH_KEY]: randomBytes(8).toString('hex') };
  await connection.retry('make its stream', async () => {
    try {
      await connection.jsm.streams.add({ ...wanted, metadata });
    } catch (error) {
      // Another process was faster, or our first try arrived after all: what is there is compared next.
      if (!(error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE)) throw error;
    }
  });
  logger.info('event stream created', { stream: EVENT_STREAM });
  const found = await readConfig(connection);
  if (found !== null) return found;
  throw new Fault('log.unavailable', `The stream ${EVENT_STREAM} was made and is not there. Try again.`);
}

/** An older build's bucket takes on this one's settings. */
async function ensureLeases(connection: LogConnection, replicas: number): Promise<void> {
  const wanted = { ...leaseStreamConfig(replicas), storage: StorageType.File, discard: DiscardPolicy.New, retention: RetentionPolicy.Limits };
  await connection.retry('make its leases', async () => {
    try {
      await connection.jsm.streams.add(wanted);
    } catch (error) {
      if (!(error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE)) throw error;
      await connection.jsm.streams.update(wanted.name, wanted);
    }
  });
}

async function readConfig(connection: LogConnection): Promise<StreamConfig | null> {
  return connection.retry('read its configuration', async () => {
    try {
      return (await connection.jsm.streams.info(EVENT_STREAM)).config;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return null;
      throw error;
    }
  });
}

function requireSame(wanted: WantedConfig, found: StreamConfig): void {
  const actual: Readonly<Record<string, unknown>> = { ...found };
  const different = Object.entries(wanted)
    .filter(([name, value]) => JSON.stringify(actual[name] ?? false) !== JSON.stringify(value))
    .map(([name, value]) => `${name} is ${JSON.stringify(actual[name])}, not ${JSON.stringify(value)}`);
  if (different.length === 0) return;
  const message = `The stream ${EVENT_STREAM} is not set up as the log needs it: ${different.join('; ')}. Correct it with the nats CLI.`;
  throw new Rejection('log.stream-differs', message, { different });
}

function epochOf(config: StreamConfig): string {
  const epoch = config.metadata?.[EPOCH_KEY];
  if (epoch) return epoch;
  throw new Rejection('log.stream-differs', `The stream ${EVENT_STREAM} has no epoch in its metadata (${EPOCH_KEY}).`, {
    key: EPOCH_KEY,
  });
}

function requirePayload(bytes: number): void {
  if (bytes >= MINIMUM_MAX_PAYLOAD) return;
  const message = `The NATS server takes ${bytes} bytes a message; the log needs ${MINIMUM_MAX_PAYLOAD}. Raise max_payload.`;
  throw new Rejection('nats.max-payload', message, { bytes, minimum: MINIMUM_MAX_PAYLOAD });
}
