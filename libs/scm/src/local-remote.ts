import { existsSync, statSync } from 'node:fs';

/**
 * The git that serves a local repository to a clone or a push, as a command of `--upload-pack` and `--receive-pack`. It starts with
 * an environment of its own, so what must not run is switched off here again; a repository of another user is served too.
 */
export const SERVE_LOCAL = [
  'git',
  '-c safe.directory=*',
  '-c core.hooksPath=/dev/null',
  '-c core.fsmonitor=false',
  '-c core.alternateRefsCommand=true',
  '-c gc.auto=0',
  '-c receive.autogc=false',
  '-c receive.denyCurrentBranch=refuse',
  '-c receive.fsckObjects=true',
].join(' ');

const SETPRIV = '/usr/bin/setpriv';

/**
 * The command that receives a push into a local repository. Run by root it becomes the repository's owner, who could not use
 * files of root's in it.
 */
export function receiveLocal(path: string): string {
  const owner = statSync(path, { throwIfNoEntry: false });
  const asOwner = process.getuid?.() === 0 && owner !== undefined && owner.uid !== 0 && existsSync(SETPRIV);
  const prefix = asOwner ? `${SETPRIV} --reuid=${owner.uid} --regid=${owner.gid} --clear-groups env HOME=/nonexistent ` : '';
  return `${prefix}${SERVE_LOCAL} receive-pack`;
}
