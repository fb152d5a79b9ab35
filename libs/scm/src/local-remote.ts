/**
 * The git that serves a local repository to a clone or a push, as a command of `--upload-pack` and `--receive-pack`. It starts with
 * an environment of its own, so what must not run is switched off here again; a repository of another user is served too.
 */
export const SERVE_LOCAL = [
  'git',
  '-c safe.directory=*',
  '-c core.hooksPath=/dev/null',
  '-c core.fsmonitor=false',
  '-c gc.auto=0',
  '-c receive.autogc=false',
  '-c receive.denyCurrentBranch=refuse',
  '-c receive.fsckObjects=true',
].join(' ');
