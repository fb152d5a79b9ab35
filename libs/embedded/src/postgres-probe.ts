import { setTimeout as delay } from 'node:timers/promises';

import pg from 'pg';

import { Fault, Rejection } from '@bullpen/errors';

/** The oldest that its makers still maintain. */
export const MINIMUM_POSTGRES_VERSION = 14;
const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 3_000;
const PROBE_INTERVAL_MS = 200;
/** A server that starts at the same moment is waited for. */
const UNREACHABLE_PATIENCE_MS = 3_000;
const MALFORMED_ESCAPE = /%(?![0-9a-f]{2})/i;
const STARTING_UP = '57P03';

/**
 * Whether this database can be used: it answers, lets us in, is new enough, and lets us make a schema. Knows within seconds.
 *
 * @throws Rejection `postgres.url`, `postgres.login`, `postgres.database`, `postgres.version`, `postgres.privilege`, Fault
 *   `postgres.unreachable`: each names DATABASE_URL, server and database, none a password
 */
export async function requirePostgres({ url, patienceMs = UNREACHABLE_PATIENCE_MS }: { url: string; patienceMs?: number }): Promise<void> {
  const where = placeOf(url);
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await probe(url, where);
    } catch (error) {
      if (error instanceof Rejection) throw error;
      if (Date.now() >= deadline) throw new Fault('postgres.unreachable', unreachable(where, error), { cause: error });
    }
    await delay(PROBE_INTERVAL_MS);
  }
}

/** `user` and the rest for a person to read. */
interface Place {
  readonly server: string;
  readonly user: string;
  readonly database: string;
}

function placeOf(text: string): Place {
  const url = MALFORMED_ESCAPE.test(text) ? null : URL.parse(text);
  if (url === null || !['postgres:', 'postgresql:'].includes(url.protocol)) {
    const message = 'DATABASE_URL is not an address. Set it to postgres://user:password@host:port/database, or unset it to use the Postgres that set-up brings.';
    throw new Rejection('postgres.url', message, { variable: 'DATABASE_URL' });
  }
  const user = decodeURIComponent(url.username);
  return { server: `${url.hostname || 'localhost'}:${url.port || '5432'}`, user, database: decodeURIComponent(url.pathname.slice(1)) || user };
}

async function probe(url: string, where: Place): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string; number: string; may: boolean }>(
      `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS number,
         has_database_privilege(current_database(), 'CREATE') AS may`,
    );
    const [found] = rows;
    requireVersion(where, found?.version ?? 'unknown', Number(found?.number ?? 0));
    if (found?.may !== true) throw rejection('privilege', where, `lets ${where.user} make no schema. Run there: GRANT CREATE ON DATABASE "${where.database}" TO "${where.user}"`);
  } catch (error) {
    throw asRejection(where, error);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @throws Rejection `postgres.version` */
export function requireVersion(where: Place, version: string, number: number): void {
  if (number >= MINIMUM_POSTGRES_VERSION * 10_000) return;
  throw rejection('version', where, `is version ${version}; Bullpen needs ${MINIMUM_POSTGRES_VERSION} or newer. Upgrade it, or unset DATABASE_URL`);
}

/** What trying again does not change. */
function asRejection(where: Place, error: unknown): unknown {
  const code = codeOf(error);
  if (code === '3D000') return rejection('database', where, 'has no such database. Make it, or correct DATABASE_URL');
  if (code?.startsWith('28') || code === 'ERR_SASL' || /SCRAM|password must be a string/.test(String(error)))
    return rejection('login', where, `refuses the user ${where.user}. Correct user and password in DATABASE_URL`);
  return error;
}

function rejection(kind: string, where: Place, what: string): Rejection {
  const { server, database } = where;
  return new Rejection(`postgres.${kind}`, `Postgres at ${server} (DATABASE_URL, database ${database}) ${what}.`, { variable: 'DATABASE_URL', server, database });
}

function unreachable({ server, database }: Place, error: unknown): string {
  const cause = codeOf(error) === STARTING_UP ? 'it still starts' : causeOf(error);
  return `Postgres at ${server} (DATABASE_URL, database ${database}) cannot be reached: ${cause}. Start it, or correct DATABASE_URL.`;
}

/** Of several addresses of one host each may fail in its own way. */
function causeOf(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(causeOf))].join(', ');
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | null {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : null;
}
