import { setTimeout as delay } from 'node:timers/promises';

import { jetstream, JetStreamApiError, JetStreamError, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { connect, deferred, errors } from '@nats-io/transport-node';
import type { Deferred, NatsConnection } from '@nats-io/transport-node';

import { Bug, Fault, Rejection } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { parseNatsUrl } from './nats-address.js';
import { inboxPrefixOf, passwordVariableOf, requireNatsVersion } from './server-config.js';
import type { NatsUser } from './server-config.js';

/** One request to the server. A cut connection is noticed at once and does not wait for this. */
export const REQUEST_TIMEOUT_MS = 2_000;
/** How long one operation tries again before it is `log.unavailable`. */
export const OPERATION_DEADLINE_MS = 8_000;
/** How long the first connection is tried. */
const CONNECT_DEADLINE_MS = 20_000;
const HANDSHAKE_TIMEOUT_MS = 3_000;
const RETRY_FIRST_MS = 20;
const RETRY_MAX_MS = 500;
const RECONNECT_WAIT_MS = 100;
const PING_INTERVAL_MS = 5_000;
const MAX_PINGS_OUT = 2;

export interface LogCredentials {
  /** nats://host:port, several with commas between them; credentials inside win over `user` and `password`. */
  readonly url: string;
  readonly user: NatsUser;
  readonly password: string;
  readonly logger: Logger;
}

/** The request may or may not have been carried out: its connection was cut. */
class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut';
}

/** One connection to the server that comes back by itself, with bounded retries over it. */
export class LogConnection {
  readonly js: JetStreamClient;
  #connected = true;
  #closing = false;
  /** One for each operation that runs: a promise shared by all would keep every answer until the next cut. */
  readonly #running = new Set<Deferred<never>>();
  #back = deferred<void>();

  private constructor(
    readonly nats: NatsConnection,
    readonly jsm: JetStreamManager,
    private readonly logger: Logger,
  ) {
    this.js = jetstream(nats, { timeout: REQUEST_TIMEOUT_MS });
    void this.#follow();
  }

  /** @throws Fault `log.unavailable`, Rejection `log.not-authorized`, `nats.url`, `nats.version`, `nats.no-jetstream` */
  static async open(credentials: LogCredentials, withinMs = CONNECT_DEADLINE_MS): Promise<LogConnection> {
    const nats = await connectWithin(credentials, withinMs);
    try {
      requireNatsVersion(nats.info?.version ?? 'unknown');
      requireJetStream(nats.info?.jetstream);
      const jsm = await jetstreamManager(nats, { checkAPI: false, timeout: REQUEST_TIMEOUT_MS });
      return new LogConnection(nats, jsm, credentials.logger);
    } catch (error) {
      await nats.close();
      throw error;
    }
  }

  /**
   * Does it once more as long as the outside fails, until the deadline. Only for what may be repeated.
   *
   * @throws Fault `log.unavailable`
   */
  async retry<T>(what: string, operation: () => Promise<T>, deadline = Date.now() + OPERATION_DEADLINE_MS): Promise<T> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.once(operation);
      } catch (error) {
        if (this.#closing || Date.now() >= deadline || !isTransient(error)) throw asFailure(what, error);
        await backoff(attempt);
      }
    }
  }

  /** One try on a standing connection; waits for one at most as long as a request takes. */
  async once<T>(operation: () => Promise<T>): Promise<T> {
    await this.#standing();
    const cut = deferred<never>();
    this.#running.add(cut);
    try {
      return await Promise.race([operation(), cut]);
    } finally {
      this.#running.delete(cut);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.nats.close();
  }

  async #standing(): Promise<void> {
    if (!this.#connected) await Promise.race([this.#back, delay(REQUEST_TIMEOUT_MS, undefined, { ref: false })]);
    if (!this.#connected) throw new ConnectionCut('the log is not connected');
  }

  async #follow(): Promise<void> {
    for await (const status of this.nats.status()) {
      if (status.type === 'disconnect') this.#onCut();
      if (status.type === 'reconnect') this.#onBack();
      if (status.type === 'error') this.logger.warn('log connection reports an error', { error: status.error });
    }
    this.#onCut();
  }

  #onCut(): void {
    if (!this.#connected) return;
    this.#connected = false;
    this.#back = deferred<void>();
    for (const cut of this.#running) cut.reject(new ConnectionCut('the connection to the log was cut'));
    if (!this.#closing) this.logger.warn('log disconnected');
  }

  #onBack(): void {
    this.#connected = true;
    this.#back.resolve();
    this.logger.info('log reconnected');
  }
}

/** Grows from 20 ms to half a second; ends early, without an error, when aborted. */
export function backoff(attempt: number, signal?: AbortSignal): Promise<void> {
  const ms = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(attempt, 10));
  return delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined);
}

/** The outside failed, so that the same request may succeed later. */
export function isTransient(error: unknown): boolean {
  if (isRefused(error)) return false;
  if (error instanceof JetStreamApiError) return error.status >= 500;
  return (
    error instanceof ConnectionCut ||
    error instanceof errors.TimeoutError ||
    error instanceof errors.RequestError ||
    error instanceof errors.NoRespondersError ||
    error instanceof errors.ConnectionError ||
    error instanceof JetStreamError ||
    // JetStream is not up yet; the client hides that nobody answered.
    (error instanceof Error && error.cause !== undefined && isTransient(error.cause))
  );
}

/** What the caller of the log sees of an error. */
export function asFailure(what: string, error: unknown): unknown {
  if (isRefused(error)) return new Bug(`the log refuses this user to ${what}: a lane has one owner (${String(error)})`);
  if (!isTransient(error) && !(error instanceof errors.ClosedConnectionError)) return error;
  return new Fault(
    'log.unavailable',
    `The event log cannot be reached to ${what}. It is tried again by itself; repeat the request.`,
    { cause: error },
  );
}

function isRefused(error: unknown): boolean {
  if (error instanceof errors.PermissionViolationError) return true;
  return error instanceof Error && error.cause !== undefined && isRefused(error.cause);
}

async function connectWithin({ url, user, password }: LogCredentials, withinMs: number): Promise<NatsConnection> {
  const deadline = Date.now() + withinMs;
  const { servers, shown, login } = parseNatsUrl(url);
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect({
        servers: [...servers],
        ...(login ?? { user, pass: password }),
        name: `bullpen-${user}`,
        inboxPrefix: inboxPrefixOf(user),
        timeout: HANDSHAKE_TIMEOUT_MS,
        maxReconnectAttempts: -1,
        reconnectTimeWait: RECONNECT_WAIT_MS,
        pingInterval: PING_INTERVAL_MS,
        maxPingOut: MAX_PINGS_OUT,
        // A server that restarts may refuse for a moment; giving up would leave a process that never comes back.
        ignoreAuthErrorAbort: true,
        noAsyncTraces: true,
      });
    } catch (error) {
      if (error instanceof errors.AuthorizationError) throw refusedLogin(user, shown, login !== null);
      if (Date.now() >= deadline) {
        throw new Fault('log.unavailable', `The event log at ${shown} does not answer. Start it, or correct NATS_URL.`, {
          cause: error,
        });
      }
      await backoff(attempt);
    }
  }
}

function refusedLogin(user: NatsUser, server: string, inUrl: boolean): Rejection {
  const variable = inUrl ? 'NATS_URL' : passwordVariableOf(user);
  const message = inUrl
    ? `The event log at ${server} refuses the credentials in NATS_URL. Correct them.`
    : `The event log at ${server} refuses the user ${user}. Give it that user with the password in ${variable}, or put credentials into NATS_URL.`;
  return new Rejection('log.not-authorized', message, { user, server, variable });
}

function requireJetStream(available: boolean | undefined): void {
  if (available) return;
  throw new Rejection('nats.no-jetstream', 'The NATS server has no JetStream, which holds the log. Start it with a jetstream block.');
}
