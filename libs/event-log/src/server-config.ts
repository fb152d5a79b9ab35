import { REPOSITORY_LANES, SESSION_LANES } from '@bullpen/contracts';
import { assert, Rejection } from '@bullpen/errors';

import type { Lane } from './event-log.js';
import { SUBJECT_ROOT } from './subjects.js';

/** One user per service; nobody but `admin` may change, purge or delete. */
export const NATS_USERS = ['session', 'orchestrator', 'gateway', 'admin'] as const;
export type NatsUser = (typeof NATS_USERS)[number];
export type NatsPasswords = Readonly<Record<NatsUser, string>>;

/** Of the server itself; with the password of `admin`. */
export const SYSTEM_USER = 'system';

export const EVENT_STREAM = 'EVENTS';
/** A JetStream key-value bucket of the orchestrator's: which replica owns which shard. */
export const LEASE_BUCKET = 'LEASES';
export const LEASE_SUBJECTS = `$KV.${LEASE_BUCKET}.>`;
/** Below 2.12 flags that the log needs are dropped without a word. */
export const MINIMUM_NATS_VERSION = '2.12.0';

type LaneName = { [E in Lane['entity']]: `${E}/${Extract<Lane, { entity: E }>['name']}` }[Lane['entity']];

/** Each lane has exactly one owner. Lanes without one in this build are nobody's, so that nobody can write them. */
const LANES_OF: Readonly<Record<Exclude<NatsUser, 'admin'>, readonly LaneName[]>> = {
  session: ['session/core', 'repository/core'],
  orchestrator: ['session/sandbox', 'session/agent', 'repository/pool'],
  gateway: [],
};

/** What reading needs: the stream's state, single messages, and consumers, which are throw-away ones of each reader. */
const READ_SUBJECTS = [
  `$JS.API.STREAM.INFO.${EVENT_STREAM}`,
  `$JS.API.STREAM.MSG.GET.${EVENT_STREAM}`,
  `$JS.API.DIRECT.GET.${EVENT_STREAM}`,
  `$JS.API.DIRECT.GET.${EVENT_STREAM}.>`,
  `$JS.API.CONSUMER.CREATE.${EVENT_STREAM}.>`,
  `$JS.API.CONSUMER.INFO.${EVENT_STREAM}.*`,
  `$JS.API.CONSUMER.DELETE.${EVENT_STREAM}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${EVENT_STREAM}.*`,
];

const LEASES_OF_ORCHESTRATOR = [LEASE_SUBJECTS, `$JS.API.DIRECT.GET.KV_${LEASE_BUCKET}`];

/** Characters that need no escaping in the server's configuration, and cannot be read as one of its variables. */
const PASSWORD = /^[0-9A-Za-z_-]{16,128}$/;

export interface NatsServerConfig {
  readonly host?: string;
  readonly port: number;
  readonly storeDir: string;
  readonly passwords: NatsPasswords;
  /** Absent: one server alone. */
  readonly cluster?: NatsCluster;
}

/** One server of several that keep copies of the log. */
export interface NatsCluster {
  /** Of this server; no other has it. */
  readonly serverName: string;
  /** Where the others reach it, on the same host name or address as clients do. */
  readonly port: number;
  /** `host:port` of the others. */
  readonly routes: readonly string[];
  /** The same on all of them. */
  readonly password: string;
}

/**
 * Text of a `nats-server` configuration: loopback only, every append on disk before its acknowledgement, one user per service with
 * publish rights on its own lanes only. It holds passwords: write it with mode 0600.
 */
export function natsServerConfig({ host = '127.0.0.1', port, storeDir, passwords, cluster }: NatsServerConfig): string {
  const users = NATS_USERS.map((user) => userConfig(user, passwords[user]));
  return `server_name: ${cluster?.serverName ?? 'bullpen'}
listen: "${host}:${port}"
max_payload: 1MB
jetstream {
  store_dir: ${JSON.stringify(storeDir)}
  sync_interval: always
  # Else a share of what was free at the start, which stays the limit however much is freed later.
  max_file_store: 1PB
}
system_account: SYSTEM
accounts {
  SYSTEM {
    users: [
${systemUserConfig(passwords.admin)}
    ]
  }
  BULLPEN {
    jetstream: enabled
    users: [
${users.join('\n')}
    ]
  }
}
${cluster ? clusterConfig(host, cluster) : ''}`;
}

function clusterConfig(host: string, { serverName, port, routes, password }: NatsCluster): string {
  assert(PASSWORD.test(password), `the cluster password of ${serverName} must be 16 to 128 of 0-9 A-Z a-z _ -`);
  return `cluster {
  name: bullpen
  listen: "${host}:${port}"
  authorization: { user: route, password: "${password}" }
  routes: ${JSON.stringify(routes.map((route) => `nats-route://route:${password}@${route}`))}
}
`;
}

/** The environment variable that holds this user's password. */
export function passwordVariableOf(user: NatsUser): string {
  return user === 'admin' ? 'NATS_ADMIN_PASSWORD' : `${user.toUpperCase()}_NATS_PASSWORD`;
}

/** The prefix of a user's reply subjects; another user can neither read nor write them. */
export function inboxPrefixOf(user: string): string {
  return `_INBOX_${user}`;
}

/** Where one server says how it is. */
export function healthSubject(serverId: string): string {
  return `$SYS.REQ.SERVER.${serverId}.HEALTHZ`;
}

/** @throws Rejection `nats.version` naming the version found and the cure */
export function requireNatsVersion(found: string): void {
  if (compareVersions(found, MINIMUM_NATS_VERSION) >= 0) return;
  throw new Rejection(
    'nats.version',
    `The NATS server is version ${found}; Bullpen needs ${MINIMUM_NATS_VERSION} or newer. Upgrade it, or unset NATS_URL to use the one that set-up brings.`,
    { found, minimum: MINIMUM_NATS_VERSION },
  );
}

/** The subjects that a user may append to; the proof that each lane has one owner is a test over these. */
export function ownedSubjects(user: NatsUser): readonly string[] {
  if (user === 'admin') return ['>'];
  return LANES_OF[user].map((lane) => {
    const [entity, name] = lane.split('/');
    return `${SUBJECT_ROOT}.*.${entity}.*.${name}`;
  });
}

/** Every lane there is, as `entity/name`. */
export const ALL_LANES: readonly string[] = [
  ...SESSION_LANES.map((name) => `session/${name}`),
  ...REPOSITORY_LANES.map((name) => `repository/${name}`),
];

function userConfig(user: NatsUser, password: string): string {
  assert(PASSWORD.test(password), `the NATS password of ${user} must be 16 to 128 of 0-9 A-Z a-z _ -`);
  const leases = user === 'orchestrator' ? LEASES_OF_ORCHESTRATOR : [];
  const publish = user === 'admin' ? ['>'] : [...ownedSubjects(user), ...READ_SUBJECTS, ...leases];
  const subscribe = user === 'admin' ? ['>'] : [`${inboxPrefixOf(user)}.>`];
  const permissions = `permissions: { publish: ${JSON.stringify(publish)}, subscribe: ${JSON.stringify(subscribe)} }`;
  return `      { user: ${user}, password: "${password}", ${permissions} }`;
}

/** Sees whether the server is well, and nothing else of it. */
function systemUserConfig(password: string): string {
  const permissions = `permissions: { publish: ${JSON.stringify([healthSubject('*')])}, subscribe: ${JSON.stringify([`${inboxPrefixOf(SYSTEM_USER)}.>`])} }`;
  return `      { user: ${SYSTEM_USER}, password: "${password}", ${permissions} }`;
}

function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) => (/\d+\.\d+\.\d+/.exec(version)?.[0] ?? '0.0.0').split('.').map(Number));
  for (const [index, part] of (a ?? []).entries()) {
    const difference = part - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
