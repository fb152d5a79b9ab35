// `make down` where nothing is built, or no longer: ends what run.json names. The built supervisor does the same, and more gently.
import { HOME, readRun, runningSupervisor, sandboxPids, signal, waitUntilGone } from './installation.mjs';

const SUPERVISOR_TIMEOUT_MS = 60_000;
const PART_TIMEOUT_MS = 10_000;
/** Services first, then what they lean on: the order in which the supervisor stops them, and its signals. */
const PARTS = [
  ['gateway', 'SIGKILL'],
  ['session', 'SIGKILL'],
  ['orchestrator', 'SIGKILL'],
  ['platform', 'SIGKILL'],
  ['scriptedModel', 'SIGTERM'],
  ['nats', 'SIGTERM'],
  ['postgres', 'SIGINT'],
];

const supervisor = runningSupervisor();
if (supervisor !== null) {
  signal(supervisor, 'SIGTERM');
  if (!(await waitUntilGone(supervisor, SUPERVISOR_TIMEOUT_MS))) {
    process.stderr.write(`Process ${supervisor.pid} still stops after ${SUPERVISOR_TIMEOUT_MS / 1_000} s. See ${HOME}/logs.\n`);
    process.exit(1);
  }
}
const ended = [...(await endParts()), ...endSandboxes()];
if (supervisor !== null) process.stdout.write('Bullpen is stopped.\n');
else if (ended.length > 0) process.stdout.write(`Ended what a killed supervisor had left: ${ended.join(', ')}.\n`);
else process.stdout.write('Nothing runs.\n');

async function endParts() {
  const { processes } = readRun();
  const names = [];
  for (const [name, how] of PARTS) {
    const identity = processes[name];
    if (identity === undefined) continue;
    signal(identity, how);
    if (!(await waitUntilGone(identity, PART_TIMEOUT_MS))) signal(identity, 'SIGKILL');
    names.push(name);
  }
  return names;
}

function endSandboxes() {
  const pids = sandboxPids();
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended with its parent.
    }
  }
  return pids.length > 0 ? [`${pids.length} sandbox processes`] : [];
}
