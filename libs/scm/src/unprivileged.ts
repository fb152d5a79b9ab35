import { existsSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of a repository's folders, those that a clone enters. */
const ENTERED = ['', '.git', '.git/objects', '.git/objects/pack', '.git/refs', 'objects', 'objects/pack', 'refs'];
const READ_AND_ENTER = 0o5;
const ENTER = 0o1;

/**
 * Whether a local repository can be read by this user without root's rights over files of others: a sandbox has none, even when root
 * started it. What is not there counts as readable, so that whoever reads it says so; what leads elsewhere (a worktree, borrowed
 * objects) does not when this user is root.
 */
export function isReadableUnprivileged(path: string): boolean {
  if (process.getuid?.() !== 0 || !existsSync(path)) return true;
  const real = realpathSync(path);
  if (statSync(join(real, '.git'), { throwIfNoEntry: false })?.isFile()) return false;
  if (['.git/objects', 'objects'].some((objects) => existsSync(join(real, objects, 'info', 'alternates')))) return false;
  if (!ancestorsOf(real).every((folder) => allows(folder, ENTER))) return false;
  return ENTERED.map((name) => join(real, name)).every((folder) => !existsSync(folder) || allows(folder, READ_AND_ENTER));
}

function ancestorsOf(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestorsOf(parent)];
}

/** What the owner, the group and the others may do, as for anybody who is not root. */
function allows(folder: string, wanted: number): boolean {
  const { uid, gid, mode } = statSync(folder);
  const shift = uid === process.getuid?.() ? 6 : gid === process.getgid?.() ? 3 : 0;
  return ((mode >> shift) & wanted) === wanted;
}
