// `make reset`: removes every session, transcript and setting of this installation. Asks first; FORCE=1 does not.
import { existsSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';

import { HOME } from './installation.mjs';

const MARKS = ['run.json', 'secrets.json', 'token', 'supervisor.lock'];

if (!existsSync(HOME)) end(0, `Nothing to reset: ${HOME} does not exist.`);
if (!MARKS.some((name) => existsSync(`${HOME}/${name}`))) end(1, `reset.not-a-home: ${HOME} holds no Bullpen, so nothing of it is removed. Correct BULLPEN_HOME.`);
if (process.env.FORCE !== '1' && !(await confirmed())) end(1, 'reset.not-confirmed: nothing was removed. To go on without the question: FORCE=1 make reset');
rmSync(HOME, { recursive: true, force: true, maxRetries: 3 });
end(0, `Removed ${HOME}. make up starts anew.`);

async function confirmed() {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`This removes every session, transcript, key and log in ${HOME}. There is no way back. Type "reset" to go on: `);
  terminal.close();
  return answer.trim() === 'reset';
}

function end(code, text) {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  process.exit(code);
}
