// What runs: a platform that is healthy, the remains of one that was killed, or nothing, with its port free.
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { HOME, readRun, runningSupervisor } from '../installation.mjs';
import { broken, fine, note } from './findings.mjs';

const PROBE_TIMEOUT_MS = 3_000;
const DEFAULT_PORT = 4_800;
/** Those that listen on it. */
const HOLDERS = ['platform', 'gateway'];

export async function runningFindings() {
  const supervisor = runningSupervisor();
  const { url, processes } = readRun();
  const names = Object.keys(processes);
  if (supervisor === null) return [remains(names), await port(names.some((name) => HOLDERS.includes(name)) ? url : null)];
  const health = url === null ? 'no address yet' : await illness(url);
  if (health === null) return [fine('platform', `Bullpen runs on ${url} (process ${supervisor.pid}; ${names.join(', ')})`)];
  const cure = `wait a moment; then see ${join(HOME, 'logs')}, or make down and make up`;
  return [broken('platform.not-ready', `Bullpen runs (process ${supervisor.pid}) and is not ready: ${health}`, cure)];
}

function remains(names) {
  if (names.length > 0) return broken('processes.left', `a killed supervisor left running: ${names.join(', ')}`, 'make down, or make up, which takes them over');
  if (existsSync(join(HOME, 'supervisor.lock'))) return note('run.stale', `nothing runs; ${HOME} is as a Bullpen left it that was killed`, 'nothing to do: make up carries on from there');
  return fine('processes', 'nothing runs');
}

/** Null when it is ready. */
async function illness(url) {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.json().catch(() => ({}));
    return response.ok ? null : (body.detail ?? body.message ?? `status ${response.status}`);
  } catch (error) {
    return `${url} does not answer (${error.cause?.code ?? error.name})`;
  }
}

/** By taking it for a moment: that also tells a port that this user may not have. `left`: the address that a killed supervisor left in use. */
async function port(left) {
  const number = Number(process.env.BULLPEN_PORT || DEFAULT_PORT);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return broken('port.invalid', 'BULLPEN_PORT is not a port from 1 to 65535', 'correct it');
  const host = process.env.BULLPEN_HOST || '127.0.0.1';
  const code = await new Promise((resolve) => {
    const server = createServer().on('error', (error) => resolve(error.code));
    server.listen(number, host, () => server.close(() => resolve(null)));
  });
  const other = `BULLPEN_PORT=${number < 1_024 || number === 65_535 ? DEFAULT_PORT : number + 1} make up`;
  switch (code) {
    case null:
      return fine('port', `port ${number} is free`);
    case 'EADDRINUSE':
      if (left?.endsWith(`:${number}`)) return note('port.left', `port ${number} is held by what the killed supervisor left running`, 'the same: make down, or make up');
      return broken('port.taken', `port ${number} is taken by another program`, `stop it, or ${other}`);
    case 'EACCES':
      return broken('port.forbidden', `port ${number} may not be used by this user`, other);
    default:
      return broken('port.unusable', `port ${number} on ${host} cannot be used (${code})`, 'correct BULLPEN_HOST and BULLPEN_PORT');
  }
}
