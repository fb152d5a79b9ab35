// Stands in for the real runner in this folder's tests: does what the branch of its spec says.
import { execSync, spawn } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const spec = JSON.parse(readFileSync(process.env.BULLPEN_RUNNER_SPEC, 'utf8'));
const report = (name, value) => writeFileSync(join(spec.paths.workspace, name), value);
appendFileSync(join(spec.paths.home, `starts-${spec.sandboxId}`), 'x');
const stay = () => setInterval(() => undefined, 1_000);

const behaviours = {
  stays: stay,
  'speaks-and-stays': () => {
    process.stdout.write('a line\n');
    stay();
  },
  'exits-3': () => process.exit(3),
  'prints-secret': () => {
    process.stdout.write(`the secret is ${process.env.CONTRACT_SECRET}!\n`);
    process.exit(3);
  },
  // A child in a session of its own, as agents start their tools.
  children: () => {
    spawn('setsid', ['sh', '-c', 'setsid sleep 600 & sleep 600'], { detached: true, stdio: 'ignore' }).unref();
    setTimeout(() => report('ready', 'yes'), 300);
    stay();
  },
  environment: () => report('environment.json', JSON.stringify(process.env)) ?? process.exit(0),
  'floods-one-line': () => {
    process.stdout.write(`begin ${'y'.repeat(3 * 1024 * 1024)}\n`);
    process.exitCode = 0;
  },
  floods: () => {
    for (let line = 0; line < 40_000; line += 1) process.stdout.write(`line ${line} ${'x'.repeat(80)}\n`);
    process.exitCode = 0;
  },
};

function runScript(script) {
  try {
    report('output', execSync(script, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: '/bin/sh' }));
    process.exit(0);
  } catch (error) {
    report('output', String(error.stderr));
    process.exit(9);
  }
}

const behaviour = behaviours[spec.repository.branch];
if (behaviour) behaviour();
else runScript(spec.repository.branch);
