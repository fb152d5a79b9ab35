import { join } from 'node:path';

import { expect } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';

import { filesBelow } from '../files.harness.js';
import { eventually } from '../platform.harness.js';
import type { TestPlatform } from '../platform.harness.js';
import { processesWithEnvironment, runnerOf } from '../processes.harness.js';
import { Watcher } from '../watcher.harness.js';
import { judge } from './judgement.js';
import type { Expectation, Witnessed } from './judgement.js';
import { readSessionLog, withLog } from './log-as-it-is.js';
import type { SessionLog } from './log-as-it-is.js';
import { LEFT_BEHIND } from './slow-turn.js';
import type { SlowTurn } from './slow-turn.js';

const AT_HEAD_MS = 20_000;
const ENDED_MS = 20_000;
/** A push follows the last turn. */
const QUIET_MS = 1_000;

/**
 * Everything that must hold after a fault, whatever it was; the session is closed by it. Resolves to how the slow turn ended.
 */
export async function checkEverything(turn: SlowTurn, expected: Expectation): Promise<string> {
  const { platform, id } = turn;
  const outcome = await withLog(platform, async (log) => {
    await settled(turn, async () => (await log.sessionHead(id)).id);
    const session = await readSessionLog(log, id);
    return judge(await witness(turn, session), expected);
  });
  await checkProcesses(turn);
  await eventually(() => `no lock is left: ${lockFiles(platform).join(' ')}`, ENDED_MS, () => lockFiles(platform).length === 0);
  return outcome;
}

/** Nothing is appended any more, and both clients have all of it. */
export async function settled({ client, leaver }: SlowTurn, head: () => Promise<string>): Promise<void> {
  let last = '';
  let since = Date.now();
  await eventually('the log is quiet and both clients are at its head', AT_HEAD_MS, async () => {
    const now = await head();
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since >= QUIET_MS && [client, leaver].every(({ events }) => events.at(-1)?.id === now);
  });
}

/** What is judged: the log, and what the clients of this turn and a fresh one hold. None of them took a snapshot, or met a fault of its own. */
export async function witness({ platform, id, client, leaver, acknowledged, faultAt }: SlowTurn, log: SessionLog): Promise<Witnessed> {
  const fresh = Watcher.follow(platform, id);
  await eventually('a fresh client is at the head', AT_HEAD_MS, () => fresh.events.length >= log.events.length);
  const clients = [client, leaver, fresh];
  for (const watcher of clients) {
    expect(watcher.faults).toEqual([]);
    expect(watcher.snapshots).toEqual([]);
    watcher.close();
  }
  expect(leaver.connections).toBeGreaterThan(1);
  return { id, log, clients: clients.map(({ events }) => events), acknowledged, faultAt };
}

/** Only the last sandbox runs, without what the turn left behind; and when its runner is killed too, nothing of the session does. */
async function checkProcesses({ platform, id }: SlowTurn): Promise<void> {
  const last = (await platform.session(id)).sandbox.generation;
  for (let generation = 1; generation < last; generation += 1) await noProcessOf(sandboxIdOf(id, generation));
  const orphans = processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxIdOf(id, last)}`).filter(({ commandLine }) => commandLine === LEFT_BEHIND);
  expect(orphans).toEqual([]);
  process.kill(runnerOf(sandboxIdOf(id, last)).pid, 'SIGKILL');
  await noProcessOf(sandboxIdOf(id, last));
}

async function noProcessOf(sandboxId: string): Promise<void> {
  const left = () => processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxId}`);
  await eventually(() => `nothing of ${sandboxId} runs: ${JSON.stringify(left())}`, ENDED_MS, () => left().length === 0);
}

/** Git's, above all: one that is left blocks the next checkpoint or push for ever. */
function lockFiles({ home }: TestPlatform): string[] {
  return ['sandboxes', 'mirrors', 'repositories', 'objects'].flatMap((folder) => filesBelow(join(home, folder)).filter((path) => path.endsWith('.lock')));
}
