import { homeAt } from './home.js';
import { endLeftovers, endSandboxes, leftoversOf } from './leftovers.js';
import { signalProcess, waitUntilGone } from './processes.js';
import { readRun, runningSupervisor } from './run-file.js';
import type { Say } from './steps.js';

/** Longer than all parts may take one after another. */
const STOP_TIMEOUT_MS = 60_000;

/** `make down`: resolves to the exit code once nothing runs. */
export async function down(environment: NodeJS.ProcessEnv, say: Say): Promise<number> {
  const home = homeAt(environment['BULLPEN_HOME']);
  const supervisor = runningSupervisor(home);
  if (supervisor !== null) {
    signalProcess(supervisor, 'SIGTERM');
    if (!(await waitUntilGone(supervisor, STOP_TIMEOUT_MS))) {
      say(`Process ${supervisor.pid} still stops after ${STOP_TIMEOUT_MS / 1_000} s. See ${home.logs}.`);
      return 1;
    }
  }
  const ended = await endLeftovers(leftoversOf(readRun(home)));
  const processes = await endSandboxes(home);
  if (supervisor !== null) say('Bullpen is stopped.');
  else if (ended.length + processes > 0) say(`Ended what a killed supervisor had left: ${[...ended, `${processes} sandbox processes`].join(', ')}.`);
  else say('Nothing runs.');
  return 0;
}
