import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, isAbsolute, join, resolve } from 'node:path';

/** Where things are inside a sandbox. */
export const INSIDE = {
  workspace: '/workspace',
  home: '/home/sandbox',
  spool: '/spool',
  source: '/source',
  agents: '/opt/bullpen',
  node: '/opt/bullpen/bin/node',
  spec: '/run/bullpen/spec.json',
  checkpoint: '/run/bullpen/checkpoint.bundle',
  transcript: '/run/bullpen/transcript.md',
} as const;

/** From the outside: what is bound to those places. Absolute; null is left out. */
export interface Binds {
  readonly workspace: string;
  readonly home: string;
  readonly spool: string;
  readonly spec: string;
  readonly checkpoint: string | null;
  readonly transcript: string | null;
  readonly source: string | null;
  readonly nodeBinary: string;
  readonly runnerFile: string;
  readonly runnerName: string;
  readonly agentsFolder: string;
  /** Folder with made-up `passwd`, `group` and `gitconfig`. */
  readonly etc: string;
}

const UID = '1000';
const CHECK_TIMEOUT_MS = 10_000;
const MAX_ALTERNATES = 16;

/**
 * Namespaces and identity: the same for root, for whom bubblewrap's plain form would be no isolation. Root's sandboxes make no
 * user namespaces of their own: in one they could mount the machine's cgroups, which to the kernel are theirs. (bubblewrap 0.8)
 */
const NAMESPACES = [
  ...(process.getuid?.() === 0 ? ['--disable-userns'] : []),
  ...['--unshare-user', '--uid', UID, '--gid', UID, '--cap-drop', 'ALL'],
  ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--hostname', 'sandbox', '--unshare-cgroup-try'],
];

/** Of /etc only what programs need to resolve names, check certificates and load libraries. Not /etc/ssl, whose keys root could read. */
const ETC = [
  ...['resolv.conf', 'hosts', 'host.conf', 'nsswitch.conf', 'services', 'protocols', 'localtime', 'timezone', 'mime.types'],
  ...['ld.so.cache', 'ld.so.conf', 'ld.so.conf.d', 'alternatives', 'ssl/certs', 'ssl/openssl.cnf', 'ca-certificates'],
  ...['ca-certificates.conf', 'pki/ca-trust/extracted', 'pki/tls/certs', 'pki/tls/cert.pem', 'crypto-policies'],
];

/**
 * Parts of /proc that are the machine's and not the sandbox's. Bubblewrap leaves them writable when root starts it: their files
 * ask for the machine's root, whom user 1000 inside still is to the kernel, and one setting (`core_pattern`) runs programs outside.
 */
const PROC_READ_ONLY = ['sys', 'sysrq-trigger', 'irq', 'bus', 'fs', 'acpi', 'scsi', 'mtrr', 'driver'];
const PROC_EMPTY = ['kcore', 'keys', 'key-users', 'kmsg', 'timer_list', 'sched_debug', 'vmallocinfo', 'slabinfo'];

/** Why bubblewrap cannot be used here, found by using it; null when it can. */
export function bubblewrapProblem(): string | null {
  const args = [
    ...NAMESPACES,
    ...systemBinds(),
    ...kernelFolders(),
    ...['--tmpfs', '/tmp'],
    ...['sh', '-c', 'test "$(id -u)" = 1000 && ! (: >> /proc/sys/kernel/core_pattern) 2> /dev/null'],
  ];
  const run = spawnSync('bwrap', args, { timeout: CHECK_TIMEOUT_MS, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (run.error) return (run.error as NodeJS.ErrnoException).code === 'ENOENT' ? 'it is not installed' : run.error.message;
  return run.status === 0 ? null : run.stderr.trim().split('\n').at(-1) || `it ended with ${run.status ?? run.signal}`;
}

/** The command that runs a sandbox's runner under bubblewrap. It holds no secret: those are inherited environment. */
export function bubblewrapCommand(binds: Binds): string[] {
  const files = [
    ...readOnly(binds.spec, INSIDE.spec),
    ...(binds.checkpoint === null ? [] : readOnly(binds.checkpoint, INSIDE.checkpoint)),
    ...(binds.transcript === null ? [] : readOnly(binds.transcript, INSIDE.transcript)),
    ...(binds.source === null ? [] : sourceBinds(binds.source, join(binds.etc, 'gitconfig'))),
  ];
  return [
    ...['bwrap', '--info-fd', '3', ...NAMESPACES],
    ...systemBinds(),
    ...kernelFolders(),
    ...['--tmpfs', '/tmp', '--tmpfs', '/var/tmp', '--tmpfs', '/run'],
    ...readOnly(join(binds.etc, 'passwd'), '/etc/passwd'),
    ...readOnly(join(binds.etc, 'group'), '/etc/group'),
    ...readOnly(binds.nodeBinary, INSIDE.node),
    ...readOnly(binds.runnerFile, join(INSIDE.agents, binds.runnerName)),
    ...['--ro-bind-try', join(binds.agentsFolder, 'node_modules'), join(INSIDE.agents, 'node_modules')],
    ...['--bind', binds.workspace, INSIDE.workspace, '--bind', binds.home, INSIDE.home, '--bind', binds.spool, INSIDE.spool],
    ...files,
    // The root itself, where bubblewrap made the folders; what is mounted below keeps its own rights.
    ...['--remount-ro', '/'],
    ...['--chdir', INSIDE.workspace, '--', INSIDE.node, join(INSIDE.agents, binds.runnerName)],
  ];
}

function readOnly(from: string, to: string): string[] {
  return ['--ro-bind', from, to];
}

function kernelFolders(): string[] {
  const isThere = (name: string) => existsSync(join('/proc', name));
  const readOnlyParts = PROC_READ_ONLY.filter(isThere).flatMap((name) => readOnly(join('/proc', name), join('/proc', name)));
  const emptyParts = PROC_EMPTY.filter(isThere).flatMap((name) => readOnly('/dev/null', join('/proc', name)));
  return ['--proc', '/proc', ...readOnlyParts, ...emptyParts, '--dev', '/dev'];
}

function systemBinds(): string[] {
  const top = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'].filter((path) => existsSync(path));
  return [
    ...readOnly('/usr', '/usr'),
    ...top.flatMap((path) => (lstatSync(path).isSymbolicLink() ? ['--symlink', readlinkSync(path), path] : readOnly(path, path))),
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
  ];
}

/** What a clone reads of a git directory. Not hooks, submodules, worktrees, or files of tools that keep credentials there. */
const CLONED = ['HEAD', 'objects', 'refs', 'packed-refs', 'shallow'];

/**
 * Of a repository only what a clone reads: files that are not committed (`.env`) stay outside. Its configuration, which may hold
 * credentials, is replaced; what it borrows objects from is bound where it says. A link in the place of one of these would lead
 * anywhere on this machine, and is left out.
 */
function sourceBinds(source: string, madeUpConfig: string): string[] {
  const gitFolder = commonGitFolder(source);
  const cloned = CLONED.filter((name) => isOwnEntry(join(gitFolder, name)));
  return [
    ...cloned.flatMap((name) => readOnly(join(gitFolder, name), join(INSIDE.source, name))),
    ...readOnly(madeUpConfig, join(INSIDE.source, 'config')),
    ...alternatesOf(join(gitFolder, 'objects')).flatMap((path) => readOnly(path, path)),
  ];
}

function isOwnEntry(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found !== undefined && !found.isSymbolicLink();
}

/** `.git`, what a worktree's `.git` file leads to, or the folder itself when it is bare. */
export function commonGitFolder(source: string): string {
  const dotGit = join(source, '.git');
  if (!existsSync(dotGit)) return source;
  if (statSync(dotGit).isDirectory()) return dotGit;
  const pointer = /^gitdir: (.+)$/m.exec(readFileSync(dotGit, 'utf8'))?.[1]?.trim();
  if (pointer === undefined) return source;
  const gitFolder = resolve(source, pointer);
  const commonFile = join(gitFolder, 'commondir');
  return existsSync(commonFile) ? resolve(gitFolder, readFileSync(commonFile, 'utf8').trim()) : gitFolder;
}

function alternatesOf(objects: string, found: string[] = []): string[] {
  const file = join(objects, 'info', 'alternates');
  if (!existsSync(file)) return found;
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => isAbsolute(line));
  for (const path of lines) {
    if (found.length >= MAX_ALTERNATES || found.includes(path) || !isObjectFolder(path)) continue;
    found.push(path);
    alternatesOf(path, found);
  }
  return found;
}

/** A repository that someone made may name any folder: only what git keeps objects in is shown. */
function isObjectFolder(path: string): boolean {
  return basename(path) === 'objects' && isOwnEntry(path) && existsSync(join(path, 'pack'));
}
