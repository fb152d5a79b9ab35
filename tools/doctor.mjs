// `make doctor`: what is missing or unhealthy, and the cure. Changes nothing; needs only Node. Exits 1 when something must be mended.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { dirname, join } from 'node:path';

import { CHECKOUT, HOME, readRun, runningSupervisor } from './installation.mjs';

const MINIMUM = { node: '20.0.0', nats: '2.12.0', bytesFree: 2 * 1024 ** 3 };
const PROBE_TIMEOUT_MS = 3_000;
const PROGRAM_TIMEOUT_MS = 10_000;
const DEFAULT_PORT = 4_800;

const fine = (what) => ({ state: 'ok', what });
const note = (what, cure) => ({ state: 'note', what, cure });
const broken = (what, cure) => ({ state: 'FAIL', what, cure });

const findings = [...tools(), ...checkout(), ...home(), ...settings(), ...(await services())];
for (const { state, what, cure } of findings) process.stdout.write(`${state.padStart(6)}  ${what}${cure ? `\n        cure: ${cure}` : ''}\n`);
const failed = findings.filter(({ state }) => state === 'FAIL').length;
process.stdout.write(failed === 0 ? '\nNothing stands in the way.\n' : `\n${failed} to mend.\n`);
process.exit(failed === 0 ? 0 : 1);

function tools() {
  const programs = ['git', 'make', 'npm', 'node'].map((name) => {
    const version = outputOf(name, ['--version']);
    return version === null ? broken(`${name} is missing`, `install it (Debian: apt-get install git make nodejs npm)`) : fine(`${name}: ${version}`);
  });
  const node = isOlder(process.versions.node, MINIMUM.node) ? [broken(`Node ${process.versions.node} is too old`, `install Node ${MINIMUM.node} or newer`)] : [];
  return [...programs, ...node, isolation()];
}

/** Installed is not enough: some machines forbid the namespaces that it makes. */
function isolation() {
  if (process.platform !== 'linux') return note('sandboxes are not isolated: that needs Linux', 'run Bullpen on Linux');
  if (outputOf('bwrap', ['--version']) === null) return note('bubblewrap is missing: sandboxes are not isolated', 'apt-get install bubblewrap');
  const works = outputOf('bwrap', ['--ro-bind', '/', '/', '--unshare-pid', 'true']) !== null;
  return works ? fine('bubblewrap isolates sandboxes') : note('bubblewrap may make no namespaces here: sandboxes are not isolated', 'allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or the container\'s seccomp profile)');
}

function checkout() {
  const at = (...path) => join(CHECKOUT, ...path);
  const packages = existsSync(at('node_modules', '.bin', 'node')) ? fine('npm packages') : broken('npm packages are missing', 'make setup');
  const built = existsSync(at('apps', 'standalone', 'dist', 'supervisor.js')) ? fine('built') : note('nothing is built', 'make build, or make up, which builds too');
  return [packages, natsServer(at('.tools', 'bin', 'nats-server')), built];
}

function natsServer(binary) {
  if (process.env.NATS_URL) return note('NATS_URL is set: the server there is used, and its durability cannot be checked from here', 'see that its jetstream block has sync_interval: always');
  const version = /v?(\d+\.\d+\.\d+)/.exec(outputOf(binary, ['--version']) ?? '')?.[1];
  if (version === undefined) return broken('the NATS server is missing', 'make setup');
  return isOlder(version, MINIMUM.nats) ? broken(`the NATS server is ${version}, older than ${MINIMUM.nats}`, `remove ${binary}, then make setup`) : fine(`NATS server ${version}`);
}

function home() {
  const nearest = existing(HOME);
  const where = nearest === HOME ? HOME : `${HOME} (to be made in ${nearest})`;
  const findings = [];
  try {
    accessSync(nearest, constants.W_OK | constants.X_OK);
    findings.push(fine(`home ${where}`));
  } catch {
    findings.push(broken(`${nearest} cannot be written`, 'give yourself the right to write there, or set BULLPEN_HOME to another folder'));
  }
  const { bavail, bsize } = statfsSync(nearest);
  const free = bavail * bsize;
  const gigabytes = `${(free / 1024 ** 3).toFixed(1)} GB free there`;
  findings.push(free < MINIMUM.bytesFree ? broken(gigabytes, `free at least ${MINIMUM.bytesFree / 1024 ** 3} GB, or set BULLPEN_HOME to another disk`) : fine(gigabytes));
  return findings;
}

function settings() {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: base } = process.env;
  if (key) return [fine('ANTHROPIC_API_KEY is set: the real model is asked')];
  const ignored = base ? [note('ANTHROPIC_BASE_URL is ignored without a key', 'set ANTHROPIC_API_KEY too')] : [];
  return [note('no ANTHROPIC_API_KEY: a scripted model answers', 'ANTHROPIC_API_KEY=… make up, for the real one'), ...ignored];
}

async function services() {
  const supervisor = runningSupervisor();
  const { url, processes } = readRun();
  const names = Object.keys(processes);
  if (supervisor === null) return [names.length > 0 ? broken(`a killed supervisor left running: ${names.join(', ')}`, 'make down') : fine('nothing runs'), await port()];
  const health = url === null ? 'no address yet' : await readiness(url);
  if (health === null) return [fine(`Bullpen runs on ${url} (process ${supervisor.pid}; ${names.join(', ')})`)];
  return [broken(`Bullpen runs (process ${supervisor.pid}) and is not ready: ${health}`, `wait a moment; then see ${join(HOME, 'logs')}, or make down and make up`)];
}

/** Null when it is ready. */
async function readiness(url) {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const body = await response.json().catch(() => ({}));
    return response.ok ? null : (body.detail ?? body.message ?? `status ${response.status}`);
  } catch (error) {
    return `${url} does not answer (${error.cause?.code ?? error.name})`;
  }
}

async function port() {
  const number = Number(process.env.BULLPEN_PORT || DEFAULT_PORT);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return broken('BULLPEN_PORT is not a port from 1 to 65535', 'correct it');
  const taken = await new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port: number, timeout: PROBE_TIMEOUT_MS });
    const finish = (answer) => resolve(answer) || socket.destroy();
    socket.on('connect', () => finish(true));
    socket.on('error', () => finish(false));
    socket.on('timeout', () => finish(false));
  });
  return taken ? broken(`port ${number} is taken by another program`, `stop it, or BULLPEN_PORT=${number === 65_535 ? DEFAULT_PORT : number + 1} make up`) : fine(`port ${number} is free`);
}

function outputOf(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', timeout: PROGRAM_TIMEOUT_MS, stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0].trim();
  } catch {
    return null;
  }
}

function isOlder(version, minimum) {
  const [have, want] = [version, minimum].map((text) => text.split('.').map(Number));
  const at = want.findIndex((part, index) => part !== have[index]);
  return at !== -1 && have[at] < want[at];
}

function existing(folder) {
  return existsSync(folder) ? folder : existing(dirname(folder));
}
