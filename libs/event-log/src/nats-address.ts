import { Rejection } from '@bullpen/errors';

/** Credentials of a URL: a name with a password, or a name alone, which NATS calls a token. */
export type NatsLogin = { readonly user: string; readonly pass: string } | { readonly token: string };

export interface NatsAddress {
  /** `host:port` of each server. */
  readonly servers: readonly string[];
  /** The same for a person to read: never with credentials. */
  readonly shown: string;
  /** What the URL brings; it wins over the users of the platform. */
  readonly login: NatsLogin | null;
}

const DEFAULT_PORT = '4222';
const MALFORMED_ESCAPE = /%(?![0-9a-f]{2})/i;
/** Not `tls:`: the client encrypts when the server offers it, and cannot be told to insist. */
const PROTOCOL = 'nats:';

/**
 * Reads NATS_URL: one `nats://[user:password@]host:port`, or several with commas between them.
 *
 * @throws Rejection `nats.url`, which does not repeat the value: it may hold a password
 */
export function parseNatsUrl(url: string): NatsAddress {
  const parsed = url.split(',').map((part) => parseOne(part.trim()));
  const servers = parsed.map(({ hostname, port }) => `${hostname}:${port || DEFAULT_PORT}`);
  const login = parsed.map(loginOf).find((one) => one !== null) ?? null;
  return { servers, shown: servers.join(','), login };
}

function parseOne(text: string): URL {
  const url = MALFORMED_ESCAPE.test(text) ? null : URL.parse(text.includes('://') ? text : `nats://${text}`);
  if (url !== null && url.protocol === PROTOCOL && url.hostname !== '') return url;
  throw new Rejection('nats.url', 'NATS_URL is not an address. Set it to nats://host:port, or unset it to use the server that set-up brings.', {
    variable: 'NATS_URL',
  });
}

function loginOf({ username, password }: URL): NatsLogin | null {
  if (username === '') return null;
  const user = decodeURIComponent(username);
  return password === '' ? { token: user } : { user, pass: decodeURIComponent(password) };
}
