import { Fault, Rejection } from '@bullpen/errors';

import { homeAt, loadSecrets, prepareHome, type Home } from './home.js';
import { readyText } from './ready-text.js';
import { readRun, takeLock } from './run-file.js';
import { notApplied } from './settings-in-use.js';
import { loadSettings } from './settings.js';
import type { Say } from './steps.js';
import { Supervisor } from './supervisor.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `make up`: starts everything and runs until it is told to stop. Resolves to the exit code; nothing runs then. */
export async function up(environment: NodeJS.ProcessEnv, say: Say): Promise<number> {
  const settings = loadSettings(environment);
  const home = homeAt(settings.BULLPEN_HOME);
  prepareHome(home);
  const holder = takeLock(home);
  if (holder !== null) {
    say(`Bullpen already runs from ${home.folder}: ${readRun(home)?.url ?? 'it is just starting'} (process ${holder.pid}). To stop it: make down`);
    const others = othersThanRunning(home, environment);
    if (others.length > 0) say(`These settings do not apply until make down, then make up: ${others.join(', ')}.`);
    return 0;
  }
  const began = Date.now();
  let giveUp: (error: Fault) => void = () => undefined;
  const gaveUp = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  const supervisor = new Supervisor(settings, { say, giveUp });
  const told = toldToStop(say);
  try {
    const started = await Promise.race([supervisor.start(), told.then(() => null), gaveUp]);
    if (started !== null) {
      say(await readyText(started.installation, started.notices, Date.now() - began));
      await Promise.race([told, gaveUp]);
    }
    return 0;
  } catch (error) {
    say(`\n${explain(error)}\n`);
    return 1;
  } finally {
    await supervisor.stop();
  }
}

function othersThanRunning(home: Home, environment: NodeJS.ProcessEnv): string[] {
  const running = readRun(home)?.settings;
  return running === undefined ? [] : notApplied(environment, running, loadSecrets(home).rpc);
}

function toldToStop(say: Say): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (): void => {
      say(asked ? 'Still stopping; what does not end in time is killed.' : '\nStopping everything, in order.');
      asked = true;
      resolve();
    };
    for (const signal of STOP_SIGNALS) process.on(signal, ask);
  });
}

export function explain(error: unknown): string {
  if (error instanceof Rejection || error instanceof Fault) return `${error.code}: ${error.message}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
