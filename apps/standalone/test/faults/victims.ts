import { sandboxIdOf } from '@bullpen/contracts';

import { eventually } from '../platform.harness.js';
import type { TestPlatform } from '../platform.harness.js';
import { descendantsOf, findAgent, findRunner, isLiving } from '../processes.harness.js';
import type { Expectation } from './judgement.js';
import { checkEverything } from './oracle.js';
import { record } from './report.js';
import { SlowTurn } from './slow-turn.js';

/** One process for all services, or one each. */
export const MODE = process.env['BULLPEN_MODE'] === 'processes' ? 'processes' : 'standalone';
export const SERVICES: readonly string[] = MODE === 'standalone' ? ['platform'] : ['gateway', 'session', 'orchestrator'];
export const VICTIMS: readonly string[] = [...SERVICES, 'runner', 'agent', 'nats', 'postgres'];

/** The turn has begun and nothing else need exist; a runner exists once its sandbox is provisioned, an agent is at work once there is text. */
const FIRST_EVENT = 3;
const FIRST_EVENTS: Readonly<Record<string, number>> = { runner: 8, agent: 15 };
/** An attempt that lost its sandbox or agent has ended by then. */
const ATTEMPT_ENDS_MS = 10_000;
/** What is restarted serves again by then, and the turn goes on. */
export const RECOVERS_MS = 30_000;
const VICTIM_STARTS_MS = 10_000;
const TURNS_END_MS = 90_000;
const CHILDREN_END_MS = 10_000;

/** Kills them in the middle of a slow turn, at the seed's moment, and checks all that must hold then. */
export async function killAndCheck(platform: TestPlatform, victims: readonly string[], seed: number): Promise<void> {
  const firstEvent = Math.max(...victims.map((victim) => FIRST_EVENTS[victim] ?? FIRST_EVENT));
  const turn = await SlowTurn.upTo(platform, seed, { firstEvent });
  const processes = await Promise.all(victims.map((victim) => livingVictim(victim, platform, turn.id)));
  const before = platform.runFile.processes;
  const strike = turn.strike(() => processes.forEach(({ pid }) => process.kill(pid, 'SIGKILL')));
  const restarted = victims.filter((victim) => !isInSandbox(victim));
  const [wholeAfterMs] = await Promise.all([platform.isWholeAgain(restarted, before, RECOVERS_MS), strike]);
  await turn.ended(TURNS_END_MS);
  const orphans = (): number[] => processes.flatMap(({ children }) => children.filter(isLiving));
  await eventually(() => `children of ${victims.join(' and ')} have ended: ${orphans().join(' ')}`, CHILDREN_END_MS, () => orphans().length === 0);
  const outcome = await checkEverything(turn, expectationOf(victims));
  const recoveryMs = Math.max(wholeAfterMs, turn.recoveryMs(outcome));
  record({ fault: `kill -9 ${victims.join(' + ')}`, outcome, recoveryMs });
  if (recoveryMs > RECOVERS_MS) throw new Error(`seed ${seed}: recovered after ${recoveryMs} ms, not within ${RECOVERS_MS}`);
}

/** "What survives what". With a part of the platform away as well, an end is recorded when that is back. */
function expectationOf(victims: readonly string[]): Expectation {
  const failsWithinMs = ATTEMPT_ENDS_MS + (victims.every(isInSandbox) ? 0 : RECOVERS_MS);
  const lost = victims.includes('runner') ? (['sandbox.lost'] as const) : [];
  const crashed = victims.includes('agent') ? (['agent.crashed'] as const) : [];
  const outcomes = [...lost, ...crashed];
  return { outcomes: outcomes.length === 0 ? ['completed'] : outcomes, failsWithinMs };
}

function isInSandbox(victim: string): boolean {
  return victim === 'runner' || victim === 'agent';
}

/** The victim, and what must not outlive it. */
async function livingVictim(victim: string, platform: TestPlatform, sessionId: string): Promise<{ pid: number; children: number[] }> {
  if (!isInSandbox(victim)) return { pid: platform.pidOf(victim), children: [] };
  const find = victim === 'runner' ? findRunner : findAgent;
  const sandboxId = sandboxIdOf(sessionId, 1);
  await eventually(`the ${victim} runs`, VICTIM_STARTS_MS, () => find(sandboxId) !== undefined);
  const found = find(sandboxId);
  if (!found) throw new Error(`the ${victim} ended before it was killed`);
  return { pid: found.pid, children: descendantsOf(found.pid) };
}
