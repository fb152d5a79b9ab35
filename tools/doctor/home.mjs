// The data folder: that it can be written, is ours, and has room.
import { accessSync, constants, existsSync, statSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { HOME } from '../installation.mjs';
import { broken, fine } from './findings.mjs';

const GIB = 1024 ** 3;
/** NATS, Postgres and a few workspaces; below it a turn may fail halfway. */
const MINIMUM_FREE_BYTES = 2 * GIB;
/** Readable by their owner only, and needed at each start. */
const PRIVATE_FILES = ['secrets.json', 'token'];

export function homeFindings() {
  const nearest = existing(HOME);
  return [writable(nearest), ...foreign(), space(nearest)];
}

function writable(nearest) {
  const where = nearest === HOME ? HOME : `${HOME} (to be made in ${nearest})`;
  if (!statSync(nearest).isDirectory()) return broken('home.not-a-folder', `${nearest} is no folder`, 'set BULLPEN_HOME to a folder, or to one that is not there yet');
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    return fine('home', `home ${where}`);
  } catch (error) {
    const readOnly = error.code === 'EROFS';
    const why = readOnly ? 'lies on a disk that is mounted read-only' : 'may not be written by this user';
    return broken('home.not-writable', `${nearest} ${why}`, `${readOnly ? 'mount it for writing' : 'give yourself the right to write there'}, or set BULLPEN_HOME to another folder`);
  }
}

/** Somebody else, root most often, ran Bullpen here before. */
function foreign() {
  const closed = PRIVATE_FILES.map((name) => join(HOME, name)).filter((file) => existsSync(file) && !isReadable(file));
  if (closed.length === 0) return [];
  const cure = 'run Bullpen as the user it was started by first, give the folder to this one (chown -R), or set BULLPEN_HOME to another folder';
  return [broken('home.foreign', `${closed.join(', ')} may not be read by this user`, cure)];
}

function isReadable(file) {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function space(nearest) {
  const { bavail, bsize } = statfsSync(nearest);
  const gigabytes = `${((bavail * bsize) / GIB).toFixed(1)} GB free there`;
  if (bavail * bsize >= MINIMUM_FREE_BYTES) return fine('disk', gigabytes);
  return broken('disk.low', gigabytes, `free at least ${MINIMUM_FREE_BYTES / GIB} GB, or set BULLPEN_HOME to another disk`);
}

function existing(folder) {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
