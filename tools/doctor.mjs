// `make doctor`: what is missing or unhealthy, and the cure. Changes nothing; needs only Node. Exits 1 when something must be mended.
// `--json`, or JSON=1, prints one document for programs. Codes are stable: of what is fine the name of the check, else of what is wrong.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { fine, broken, isOlder, note, outputOf } from './doctor/findings.mjs';
import { homeFindings } from './doctor/home.mjs';
import { runningFindings } from './doctor/running.mjs';
import { databaseFindings, natsFindings } from './doctor/servers.mjs';
import { CHECKOUT } from './installation.mjs';

const MINIMUM_NODE = '20.0.0';
/** As the local driver starts them; the namespaces are what some machines forbid. */
const SANDBOX_FLAGS = '--unshare-user --uid 1000 --gid 1000 --cap-drop ALL --unshare-pid --unshare-ipc --ro-bind / /'.split(' ');

const findings = [...tools(), ...checkout(), ...(await natsFindings()), ...(await databaseFindings()), ...homeFindings(), ...settings(), ...(await runningFindings())];
const failed = findings.filter(({ state }) => state === 'FAIL').length;
if (process.env.JSON === '1' || process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ ok: failed === 0, findings: findings.map(asDocument) })}\n`);
else printForPeople();
process.exitCode = failed === 0 ? 0 : 1;

function asDocument({ code, state, what, cure = null }) {
  return { code, state: state.toLowerCase(), what, cure };
}

function printForPeople() {
  for (const { code, state, what, cure } of findings) {
    process.stdout.write(`${state.padStart(6)}  ${what}${state === 'ok' ? '' : ` (${code})`}${cure ? `\n        cure: ${cure}` : ''}\n`);
  }
  process.stdout.write(failed === 0 ? '\nNothing stands in the way.\n' : `\n${failed} to mend.\n`);
}

function tools() {
  const programs = ['git', 'make', 'npm', 'node'].map((name) => {
    const version = outputOf(name, ['--version']);
    return version === null ? broken(`${name}.missing`, `${name} is missing`, 'install it (Debian: apt-get install git make nodejs npm)') : fine(name, `${name}: ${version}`);
  });
  const node = isOlder(process.versions.node, MINIMUM_NODE) ? [broken('node.old', `Node ${process.versions.node} is too old`, `install Node ${MINIMUM_NODE} or newer`)] : [];
  return [...programs, ...node, isolation()];
}

/** Installed is not enough: some machines forbid the namespaces that it makes. */
function isolation() {
  if (process.platform !== 'linux') return note('isolation.not-linux', 'sandboxes are not isolated: that needs Linux', 'run Bullpen on Linux');
  if (process.env.BULLPEN_ISOLATION === 'none') return note('isolation.off', 'BULLPEN_ISOLATION=none: sandboxes are not isolated', 'unset it');
  if (outputOf('bwrap', ['--version']) === null) return note('bubblewrap.missing', 'bubblewrap is missing: sandboxes are not isolated', 'apt-get install bubblewrap');
  if (outputOf('bwrap', [...SANDBOX_FLAGS, 'true']) !== null) return fine('isolation', 'bubblewrap isolates sandboxes');
  const cure = "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0, or the container's seccomp profile)";
  return note('namespaces.forbidden', 'bubblewrap may make no namespaces here: sandboxes are not isolated', cure);
}

function checkout() {
  const at = (...path) => join(CHECKOUT, ...path);
  const packages = existsSync(at('node_modules', '.bin', 'node')) ? fine('packages', 'npm packages') : broken('packages.missing', 'npm packages are missing', 'make setup');
  const isBuilt = existsSync(at('apps', 'standalone', 'dist', 'supervisor.js'));
  return [packages, isBuilt ? fine('build', 'built') : note('build.missing', 'nothing is built', 'make build, or make up, which builds too')];
}

function settings() {
  const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: base } = process.env;
  if (key) return [fine('model', 'ANTHROPIC_API_KEY is set: the real model is asked')];
  const ignored = base ? [note('model.base-ignored', 'ANTHROPIC_BASE_URL is ignored without a key', 'set ANTHROPIC_API_KEY too')] : [];
  return [note('model.scripted', 'no ANTHROPIC_API_KEY: a scripted model answers', 'ANTHROPIC_API_KEY=… make up, for the real one'), ...ignored];
}
