import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';
import type { SessionEvent } from '@bullpen/contracts';
import { foldSession } from '@bullpen/session-model';

import { eventually } from '../platform.harness.js';
import type { TestPlatform } from '../platform.harness.js';
import { processesWithEnvironment, runnerOf } from '../processes.harness.js';
import { Watcher } from '../watcher.harness.js';
import { readSessionLog, withLog } from './log-as-it-is.js';
import type { SessionLog } from './log-as-it-is.js';
import { LEFT_BEHIND, SlowTurn } from './slow-turn.js';

const AT_HEAD_MS = 20_000;
const ENDED_MS = 20_000;
/** What an agent said before it was killed is in the log by then. */
const IN_FLIGHT_MS = 500;
/** A push follows the last turn. */
const QUIET_MS = 1_000;

/** How the slow turn may end. */
export interface Expectation {
  /** `completed`, or the reason codes with which it may fail. */
  readonly outcomes: readonly ('completed' | 'sandbox.lost' | 'agent.crashed' | 'model')[];
  /** From the fault to the end of a failed attempt. */
  readonly failsWithinMs: number;
}

/**
 * Everything that must hold after a fault, whatever it was; the session is closed by it. Resolves to how the slow turn ended.
 */
export async function checkEverything(turn: SlowTurn, expected: Expectation): Promise<string> {
  const { platform, id } = turn;
  const outcome = await withLog(platform, async (log) => {
    await settled(turn, async () => (await log.sessionHead(id)).id);
    const session = await readSessionLog(log, id);
    await checkClients(turn, session);
    checkCommands(turn, session);
    checkTurnsAfter(turn, session);
    checkSandboxes(turn, session);
    return checkSlowTurn(turn, session, expected);
  });
  await checkProcesses(turn);
  await eventually(() => `no lock is left: ${lockFiles(platform).join(' ')}`, ENDED_MS, () => lockFiles(platform).length === 0);
  return outcome;
}

/** Nothing is appended any more, and both clients have all of it. */
async function settled({ client, leaver }: SlowTurn, head: () => Promise<string>): Promise<void> {
  let last = '';
  let since = Date.now();
  await eventually('the log is quiet and both clients are at its head', AT_HEAD_MS, async () => {
    const now = await head();
    if (now !== last) since = Date.now();
    last = now;
    return Date.now() - since >= QUIET_MS && [client, leaver].every(({ events }) => events.at(-1)?.id === now);
  });
}

/** Each client holds the log's own events, each once, in order, `prev` closed, without a snapshot; so their states are one. */
async function checkClients({ platform, id, client, leaver }: SlowTurn, log: SessionLog): Promise<void> {
  const fresh = Watcher.follow(platform, id);
  await eventually('a fresh client is at the head', AT_HEAD_MS, () => fresh.events.length >= log.events.length);
  const bytes = log.events.map((event) => JSON.stringify(event));
  for (const watcher of [client, leaver, fresh]) {
    expect(watcher.faults).toEqual([]);
    expect(watcher.snapshots).toEqual([]);
    const other = watcher.events.findIndex((event, index) => JSON.stringify(event) !== bytes[index]);
    expect(JSON.stringify(watcher.events[other])).toBe(bytes[other]);
    expect(watcher.events).toHaveLength(bytes.length);
    expect(foldSession(id, watcher.events)).toEqual(foldSession(id, log.events));
  }
  expect(leaver.connections).toBeGreaterThan(1);
  expect(increases(log.events.map((event) => event.id))).toBe(true);
  for (const watcher of [client, leaver, fresh]) watcher.close();
}

/** What was acknowledged is in the log, once, as it was sent. */
function checkCommands({ acknowledged }: SlowTurn, { events }: SessionLog): void {
  const queued = events.filter(({ type }) => type === 'PromptQueued');
  expect(queued.map(({ data }) => data['text'])).toEqual(SlowTurn.promptTexts());
  for (const { promptId, text, head } of acknowledged) {
    expect(queued.filter(({ data }) => data['promptId'] === promptId && data['text'] === text)).toHaveLength(1);
    expect(events.some((event) => event.id === head)).toBe(true);
  }
}

/** Each queued prompt ran, once, and completed. */
function checkTurnsAfter({ acknowledged }: SlowTurn, { events }: SessionLog): void {
  const started = events.filter(({ type }) => type === 'TurnStarted').map(({ data }) => data['promptId']);
  expect(started).toHaveLength(acknowledged.length + 1);
  expect(new Set(started).size).toBe(started.length);
  for (const [index, { promptId, text }] of acknowledged.entries()) {
    expect(started[index + 1]).toBe(promptId);
    const ofTurn = events.filter(({ turnId }) => turnId === `t${promptId}`);
    expect(ofTurn.filter(({ type }) => type === 'AgentStarted')).toHaveLength(1);
    expect(ofTurn.filter(({ type }) => type === 'AssistantTextAppended').map(({ data }) => data['text']).join('')).toBe(text.replace('say: ', ''));
    expect(ofTurn.filter(({ type }) => type === 'TurnEnded').map(({ data }) => data['outcome'])).toEqual(['completed']);
  }
}

/** Generations follow one another; what a lost one had appended is named by its number of frames. */
function checkSandboxes(_: SlowTurn, { events, frames }: SessionLog): void {
  const generations = events.filter(({ type }) => type === 'GenerationStarted').map(({ data }) => Number(data['generation']));
  expect(generations).toEqual(generations.map((_generation, index) => index + 1));
  for (const { data } of events.filter(({ type }) => type === 'SandboxLost')) {
    const appended = frames.filter(({ generation }) => generation === data['generation']).map(({ last }) => last);
    expect(data['appendedThrough']).toBe(Math.max(0, ...appended));
  }
}

function checkSlowTurn({ faultAt }: SlowTurn, { events }: SessionLog, { outcomes, failsWithinMs }: Expectation): string {
  const ended = events.find(({ type }) => type === 'TurnEnded');
  if (!ended) throw new Error('the slow turn has no end');
  const ofTurn = events.filter(({ turnId }) => turnId === ended.turnId);
  // The fault fell inside the turn.
  expect(Date.parse(ended.at)).toBeGreaterThanOrEqual(faultAt);
  expect(ofTurn.filter(({ type }) => type === 'AgentStarted').length).toBeLessThanOrEqual(1);
  const outcome = outcomeOf(ended);
  // What the agent had finished before the fault stays finished.
  const finished = ofTurn.some(({ type, data }) => type === 'AgentTurnFinished' && data['outcome'] === 'completed');
  if (outcome === 'completed') {
    expect(textOf(ofTurn)).toContain(SlowTurn.slowText());
    expect(finished).toBe(true);
    expect(outcomes.includes('completed') || wasDone(ofTurn, faultAt) || beganAnew(ofTurn, events)).toBe(true);
    return outcome;
  }
  expect(outcomes.filter((allowed) => outcome.startsWith(allowed))).toEqual([expect.any(String)]);
  expect(finished).toBe(false);
  expect(Date.parse(ended.at) - faultAt).toBeLessThan(failsWithinMs);
  if (outcome === 'agent.crashed') expect(ofTurn.find(({ type }) => type === 'AgentFailed')?.data).toMatchObject({ signal: 'SIGKILL' });
  return outcome;
}

/** The agent had said all when it was killed, and what it said was on its way. */
function wasDone(ofTurn: readonly SessionEvent[], faultAt: number): boolean {
  const last = ofTurn.findLast(({ type }) => type === 'AssistantTextAppended');
  return last !== undefined && Date.parse(last.at) <= faultAt + IN_FLIGHT_MS;
}

/** The sandbox was lost before an agent had the prompt; the next generation's was the first. */
function beganAnew(ofTurn: readonly SessionEvent[], events: readonly SessionEvent[]): boolean {
  const second = events.find(({ type, data }) => type === 'GenerationStarted' && data['generation'] === 2);
  const started = ofTurn.find(({ type }) => type === 'AgentStarted');
  return second !== undefined && started !== undefined && BigInt(started.id) > BigInt(second.id);
}

function outcomeOf({ data }: SessionEvent): string {
  const reason = data['reason'] as { code: string } | undefined;
  return data['outcome'] === 'completed' ? 'completed' : (reason?.code ?? 'failed without a reason');
}

/** By part, as a person reads it; offsets must close. */
function textOf(events: readonly SessionEvent[]): string {
  const parts = new Map<unknown, string>();
  for (const { data } of events.filter(({ type }) => type === 'AssistantTextAppended')) {
    const before = parts.get(data['partId']) ?? '';
    expect(data['offset']).toBe(before.length);
    parts.set(data['partId'], before + String(data['text']));
  }
  return [...parts.values()].join('\n');
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
  return ['sandboxes', 'mirrors', 'repositories', 'objects'].flatMap((folder) => lockFilesBelow(join(home, folder)));
}

function lockFilesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return lockFilesBelow(path);
    return entry.name.endsWith('.lock') ? [path] : [];
  });
}

/** A folder may go while it is read. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function increases(ids: readonly string[]): boolean {
  return ids.every((id, index) => index === 0 || BigInt(id) > BigInt(ids[index - 1] ?? 0));
}
