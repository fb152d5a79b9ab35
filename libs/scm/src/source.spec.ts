import { describe, expect, it } from '@jest/globals';
import { Rejection } from '@bullpen/errors';

import { isBranchName } from './branch.js';
import { isPrivateAddress, isPrivateHost } from './hosts.js';
import { parseSource } from './source.js';
import type { SourceRules } from './source.js';

const local: SourceRules = { localPaths: true, privateHosts: [] };
const remote: SourceRules = { localPaths: false, privateHosts: ['git.corp', '10.1.2.3'] };

function codeOf(text: string, rules: SourceRules): string {
  try {
    parseSource(text, rules);
  } catch (error) {
    if (error instanceof Rejection) return error.code;
    throw error;
  }
  return 'accepted';
}

function messageOf(text: string): string {
  try {
    parseSource(text, local);
  } catch (error) {
    return String(error);
  }
  throw new Error('accepted');
}

describe('parseSource', () => {
  it.each([
    ['https://github.com/acme/shop', 'https://github.com/acme/shop', 'shop'],
    [' https://GitHub.com/acme/shop.git/ ', 'https://github.com/acme/shop.git', 'shop'],
    ['https://example.com:8443/a/b%20c.git', 'https://example.com:8443/a/b%20c.git', 'b c'],
    ['ssh://git@example.com:2222/acme/shop.git', 'ssh://git@example.com:2222/acme/shop.git', 'shop'],
    ['ssh://example.com/acme/shop', 'ssh://git@example.com/acme/shop', 'shop'],
    ['git@github.com:acme/shop.git', 'ssh://git@github.com/acme/shop.git', 'shop'],
    ['github.com:acme/shop', 'ssh://git@github.com/acme/shop', 'shop'],
  ])('reads %s', (text, canonical, name) => {
    expect(parseSource(text, remote)).toMatchObject({ kind: 'url', canonical, name });
  });

  it.each([
    ['/srv/git/shop.git/', '/srv/git/shop.git', 'shop'],
    ['/srv//a/../shop', '/srv/shop', 'shop'],
    ['/srv/shop/.git', '/srv/shop/.git', 'shop'],
    ['/srv/50%', '/srv/50%', '50%'],
  ])('reads the path %s', (text, canonical, name) => {
    expect(parseSource(text, local)).toEqual({ kind: 'path', canonical, name });
  });

  it.each([
    '',
    '   ',
    '-u/x',
    '--upload-pack=touch /tmp/x',
    'relative/path',
    './x',
    '~/x',
    '/',
    '//',
    'http://example.com/x',
    'git://example.com/x',
    'file:///etc',
    'ext::sh -c touch% /tmp/x',
    'https://user:pw@example.com/x',
    'https://token@example.com/x',
    'ssh://git:pw@example.com/x',
    'ssh://-oProxyCommand=x/y',
    '-oProxyCommand=x:y',
    'https://example.com',
    'https://example.com/x?y=1',
    'https://example.com/x#y',
    'https://example.com/a%0ab',
    'https://example.com/%zz',
    'https://exa mple.com/x',
    'a\nb',
    '/srv/a\u0000b',
    `https://example.com/${'x'.repeat(3_000)}`,
  ])('refuses %j', (text) => {
    expect(codeOf(text, local)).toBe('repository.source-invalid');
  });

  it('takes paths in local mode only', () => {
    expect(codeOf('/srv/shop', remote)).toBe('repository.source-invalid');
  });

  it.each([
    'https://localhost/x',
    'https://127.0.0.1/x',
    'https://127.1/x',
    'https://2130706433/x',
    'https://0x7f.1/x',
    'ssh://git@127.1/x',
    'ssh://git@0x7f.0.0.1/x',
    'git@2130706433:x',
    'git@10.0.0.7:x',
    'https://[::1]/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://[fe80::1]/x',
    'https://169.254.169.254/latest',
    'https://192.168.1.1/x',
    'https://gitlab/x',
    'https://gitlab.internal/x',
    'https://printer.local./x',
  ])('refuses the private host of %s', (text) => {
    expect(codeOf(text, local)).toBe('repository.host-not-allowed');
  });

  it('takes a private host that the owner lists', () => {
    expect(parseSource('https://git.corp/x', remote)).toMatchObject({ host: 'git.corp', hostListed: true });
    expect(parseSource('git@10.1.2.3:x', remote)).toMatchObject({ hostListed: true });
    expect(parseSource('https://example.com/x', remote)).toMatchObject({ hostListed: false });
  });

  it('says where credentials go instead', () => {
    expect(messageOf('https://user:hunter2@example.com/x')).toMatch(/credential helper .* ssh key/);
    expect(messageOf('nonsense')).toContain('Give an https or ssh URL');
  });

  it('never repeats a password', () => {
    for (const text of ['https://user:hunter2@example.com/x', 'ssh://a:hunter2@example.com', 'ftp://a:hunter2@example.com/x']) {
      expect(messageOf(text)).not.toContain('hunter2');
    }
  });
});

describe('isPrivateAddress', () => {
  it.each([
    '0.0.0.0',
    '10.9.9.9',
    '100.64.0.1',
    '127.9.9.9',
    '172.31.0.1',
    '224.0.0.1',
    '::',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:10.0.0.1',
    '::ffff:a00:1',
  ])('says yes to %s', (address) => expect(isPrivateAddress(address)).toBe(true));
  it.each(['8.8.8.8', '172.32.0.1', '2606:4700::1', '::ffff:8.8.8.8'])('says no to %s', (address) =>
    expect(isPrivateAddress(address)).toBe(false),
  );
});

describe('isPrivateHost', () => {
  it('goes by the name', () => {
    expect(['host', 'a.localhost', 'a.lan', '[::1]'].map(isPrivateHost)).toEqual([true, true, true, true]);
    expect(isPrivateHost('github.com')).toBe(false);
  });
});

describe('isBranchName', () => {
  it.each(['main', 'feature/a-b', 'ü', 'a.b', 'a@b', 'release-1.0'])('accepts %s', (name) =>
    expect(isBranchName(name)).toBe(true),
  );
  it.each([
    '',
    '-x',
    '/a',
    'a/',
    'a//b',
    'a..b',
    'a.lock',
    'a.lock/b',
    '.a',
    'a/.b',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    'a*',
    'a[',
    'a\\b',
    'a@{1}',
    '@',
    'HEAD',
    'a.',
    'a\n',
    'x'.repeat(201),
  ])('refuses %j', (name) => expect(isBranchName(name)).toBe(false));
});
