// refuse-while-running.mjs WHAT: fails when something of this installation runs, before WHAT takes the ground from under it.
import { HOME, readRun, runningSupervisor } from './installation.mjs';

const what = process.argv[2] ?? 'this';
const supervisor = runningSupervisor();
const { url, processes } = readRun();
const left = Object.entries(processes).map(([name, { pid }]) => `${name} ${pid}`);

if (supervisor !== null) refuse(`Bullpen runs from ${HOME}: ${url ?? 'it is just starting'} (process ${supervisor.pid}).`);
if (left.length > 0) refuse(`A killed supervisor left processes of ${HOME} running: ${left.join(', ')}.`);

function refuse(why) {
  process.stderr.write(`running: ${why} ${what} would break it. Stop it first: make down\n`);
  process.exit(1);
}
