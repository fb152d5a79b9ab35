import { posix } from 'node:path';

import { Rejection } from '@bullpen/errors';

import { isPrivateHost } from './hosts.js';

/** Where a repository comes from, parsed and safe to hand to git after `--`. */
export type Source =
  | { readonly kind: 'path'; readonly canonical: string; readonly name: string }
  | {
      readonly kind: 'url';
      /** `https://host/path` or `ssh://user@host/path`, without a trailing slash. */
      readonly canonical: string;
      readonly name: string;
      readonly host: string;
      /** The owner listed the host: it may be, and may resolve to, a private address. */
      readonly hostListed: boolean;
    };

export type UrlSource = Extract<Source, { kind: 'url' }>;

export interface SourceRules {
  /** Whether absolute paths are sources: local mode. */
  readonly localPaths: boolean;
  /** Hosts that may be private, loopback or link-local, as the owner lists them. */
  readonly privateHosts: readonly string[];
}

const MAX_SOURCE_CHARS = 2_000;
const CONTROL = /\p{Cc}/u;
/** `git@host:path`, git's short form of an ssh URL. A `/` before the colon would make it a path. */
const SCP_LIKE = /^(?:([A-Za-z0-9._][A-Za-z0-9._-]*)@)?([A-Za-z0-9[][A-Za-z0-9.:[\]-]*?):(?!\/\/)(.+)$/;
const USER = /^[A-Za-z0-9._][A-Za-z0-9._-]*$/;
const HOST = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])$/;

/**
 * Reads what a person gave as a repository: an https or ssh URL, `git@host:path`, or in local mode an absolute path.
 * Pure: whether it exists is probeSource's to find out.
 *
 * @throws Rejection `repository.source-invalid`, `repository.host-not-allowed`
 */
export function parseSource(text: string, rules: SourceRules): Source {
  const source = text.trim();
  if (source === '') throw invalid(source, 'it is empty');
  if (source.length > MAX_SOURCE_CHARS) throw invalid(source, `it is longer than ${MAX_SOURCE_CHARS} characters`);
  if (CONTROL.test(source)) throw invalid(source, 'it holds control characters');
  if (source.startsWith('-')) throw invalid(source, 'it starts with "-"');
  if (source.startsWith('/')) return parsePath(source, rules);
  if (source.includes('://')) return parseUrl(source, rules);
  const scp = SCP_LIKE.exec(source);
  if (scp) return parseUrl(`ssh://${scp[1] ?? 'git'}@${scp[2]}/${(scp[3] ?? '').replace(/^\/+/, '')}`, rules);
  throw invalid(source, rules.localPaths ? 'it is neither a URL nor an absolute path' : 'it is not a URL');
}

function parsePath(source: string, rules: SourceRules): Source {
  if (!rules.localPaths) throw invalid(source, 'paths are sources in local mode only');
  const canonical = posix.normalize(source).replace(/(?<=.)\/+$/, '');
  if (canonical === '/' || canonical.startsWith('//')) throw invalid(source, 'it names no folder');
  return { kind: 'path', canonical, name: nameOf(canonical) };
}

function parseUrl(source: string, rules: SourceRules): Source {
  const url = URL.canParse(source) ? new URL(source) : null;
  if (!url) throw invalid(source, 'it cannot be read as a URL');
  const isSsh = url.protocol === 'ssh:';
  if (url.protocol !== 'https:' && !isSsh) throw invalid(source, `the protocol ${url.protocol} is not one of https and ssh`);
  if (url.password !== '' || (!isSsh && url.username !== '')) throw invalid(url.host, 'it holds credentials', GIVE_CREDENTIALS);
  if (url.search !== '' || url.hash !== '') throw invalid(url.host, 'it has a query or a fragment');
  const user = isSsh ? url.username || 'git' : '';
  if (isSsh && !USER.test(user)) throw invalid(url.host, 'the user name is not one of ssh');
  const hostname = url.hostname.replace(/\.$/, '');
  if (!HOST.test(hostname)) throw invalid(source, 'the host name is not valid');
  const path = url.pathname.replace(/\/+$/, '');
  if (path === '' || path.includes('//')) throw invalid(source, 'it names no repository');
  const host = canonicalHost(hostname);
  if (host === null) throw invalid(source, 'the host name is not valid');
  const decoded = decode(path);
  if (decoded === null || CONTROL.test(decoded)) throw invalid(source, 'its path cannot be read');
  const hostListed = rules.privateHosts.some((listed) => listed.trim().toLowerCase() === host);
  if (!hostListed && isPrivateHost(host)) throw hostNotAllowed(host);
  const port = url.port === '' ? '' : `:${url.port}`;
  const canonical = isSsh ? `ssh://${user}@${host}${port}${path}` : `https://${host}${port}${path}`;
  return { kind: 'url', canonical, name: nameOf(decoded), host, hostListed };
}

/** The host as a resolver reads it: `127.1` and `0x7f.0.0.1` are 127.0.0.1, which URL does for https but not for ssh. */
function canonicalHost(hostname: string): string | null {
  const https = `https://${hostname}/`;
  return URL.canParse(https) ? new URL(https).hostname : null;
}

export function hostNotAllowed(host: string): Rejection {
  return new Rejection(
    'repository.host-not-allowed',
    `The host ${host} is private or local, and not on the list of allowed hosts. Use a public host, or add it to BULLPEN_PRIVATE_HOSTS.`,
    { host },
  );
}

function nameOf(path: string): string {
  const last = path.split('/').at(-1) ?? '';
  const name = last === '.git' ? (path.split('/').at(-2) ?? last) : last.replace(/\.git$/, '');
  return name === '' ? 'repository' : name;
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

const GIVE_SOURCE = 'Give an https or ssh URL, or in local mode an absolute path.';
const GIVE_CREDENTIALS =
  "Give the URL without them. The platform reads it as its own user's git does: set up a credential helper for https, or an ssh key for ssh.";

/** Never quotes a URL that may hold a password: callers pass the host then. */
function invalid(source: string, why: string, next = GIVE_SOURCE): Rejection {
  const shown = source
    .replace(/\/\/[^/@]*@/g, '//…@')
    .replace(/\p{Cc}/gu, '?')
    .slice(0, 200);
  return new Rejection(
    'repository.source-invalid',
    `${JSON.stringify(shown)} is not a repository source: ${why}. ${next}`,
    { source: shown },
  );
}
