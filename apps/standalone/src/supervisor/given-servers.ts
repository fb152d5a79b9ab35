import { join } from 'node:path';

import { requirePostgres } from '@bullpen/embedded';
import { Rejection, isRejectionOf } from '@bullpen/errors';
import { NATS_USERS, connectEventLog, ensureEventStream, natsServerConfig, parseNatsUrl, passwordVariableOf } from '@bullpen/event-log';
import type { NatsPasswords, NatsUser } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { writePrivately, type Home, type Secrets } from './home.js';
import { natsUrl, type Installation } from './platform-environment.js';

/** A server of somebody else runs or does not: it is not about to start, as ours is. */
const GIVEN_NATS_PATIENCE_MS = 5_000;
const EXAMPLE_PORT = 4_222;
const EXAMPLE_STORE = '/var/lib/nats';

export function natsPasswords({ natsSession, natsOrchestrator, natsGateway, natsAdmin }: Secrets): NatsPasswords {
  return { session: natsSession, orchestrator: natsOrchestrator, gateway: natsGateway, admin: natsAdmin };
}

/** As a person gave it, else as this installation made it. */
export function natsPassword({ secrets }: Installation, user: NatsUser): string {
  return process.env[passwordVariableOf(user)] || natsPasswords(secrets)[user];
}

/** @throws Rejection or Fault `postgres.*` that names DATABASE_URL and the cause */
export async function checkGivenDatabase(url: string): Promise<void> {
  await requirePostgres({ url });
}

/**
 * The stream that is the log: made when missing, checked otherwise. Of a server that is not ours also whether it lets every service in.
 * Resolves to what a person should know about that server.
 */
export async function prepareEventStream(installation: Installation): Promise<string[]> {
  const url = natsUrl(installation);
  const isGiven = installation.settings.NATS_URL !== undefined;
  const passwordOf = (user: NatsUser): string => natsPassword(installation, user);
  const stream = { url, password: passwordOf('admin'), logger: silentLogger };
  if (!isGiven) {
    await ensureEventStream(stream);
    return [];
  }
  try {
    const { authRequired } = await ensureEventStream({ ...stream, withinMs: GIVEN_NATS_PATIENCE_MS });
    for (const user of NATS_USERS.filter((one) => one !== 'admin')) {
      await (await connectEventLog({ url, user, password: passwordOf(user), logger: silentLogger })).close();
    }
    return noticesAbout(url, authRequired);
  } catch (error) {
    if (!isRejectionOf(error, 'log.not-authorized') || parseNatsUrl(url).login !== null) throw error;
    throw withUsers(error as Rejection, installation.home, passwordOf);
  }
}

function noticesAbout(url: string, authRequired: boolean): string[] {
  const { shown, login } = parseNatsUrl(url);
  return [
    `Durability unverified: the sync_interval of the NATS server at ${shown} cannot be seen from here. Unless it is "always", a power cut there can lose what was acknowledged.`,
    ...(authRequired ? [] : [`The NATS server at ${shown} asks for no password: whoever reaches it reads and changes every session. Give it users.`]),
    ...(login === null || !authRequired
      ? []
      : ['Every part logs in with the credentials in NATS_URL, so the server does not keep one service off what is another\'s. Users of their own do: see README, Settings.']),
  ];
}

/** What the server lacks, whole: users, variables, and the text to put there. */
function withUsers({ code, message, details }: Rejection, home: Home, passwordOf: (user: NatsUser) => string): Rejection {
  const users = NATS_USERS.map((user) => `${user} (${passwordVariableOf(user)})`).join(', ');
  const example = writeExample(home, passwordOf);
  const ready = example === null ? '' : ` A ready nats.conf with them and their permissions is in ${example}.`;
  return new Rejection(code, `${message}\n  It needs the users ${users}; of a variable that is not set, ${home.secretsFile} has the password.${ready}`, details);
}

/** Null when a password is one that the server's configuration cannot hold. */
function writeExample(home: Home, passwordOf: (user: NatsUser) => string): string | null {
  const path = join(home.folder, 'nats.conf.example');
  const passwords = Object.fromEntries(NATS_USERS.map((user) => [user, passwordOf(user)])) as NatsPasswords;
  try {
    writePrivately(path, natsServerConfig({ host: '0.0.0.0', port: EXAMPLE_PORT, storeDir: EXAMPLE_STORE, passwords }));
    return path;
  } catch {
    return null;
  }
}
