/** Host names under which this machine may be called; every other name may be somebody's trick with DNS. */
const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** `host`: the Host header; `port`: where the request came in; `allowed`: what the owner added, as `name` or `name:port`. */
export function isKnownHost(host: string | undefined, port: number, allowed: readonly string[]): boolean {
  const given = host?.toLowerCase();
  if (!given) return false;
  if (LOOPBACK_NAMES.some((name) => given === `${name}:${port}` || (port === 80 && given === name))) return true;
  return allowed.some((entry) => given === entry || given.replace(/:\d+$/, '') === entry);
}

/** No Origin at all is a program, not a page. */
export function isKnownOrigin(origin: string | undefined, port: number, allowed: readonly string[]): boolean {
  if (origin === undefined) return true;
  const url = URL.parse(origin);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
  return isKnownHost(url.host, port, allowed);
}
