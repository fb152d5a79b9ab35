import { expect } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';
import { foldSession } from '@bullpen/session-model';

import type { SessionLog } from './log-as-it-is.js';
import { SlowTurn } from './slow-turn.js';
import type { Acknowledged } from './slow-turn.js';

/** What an agent said before it was killed is in the log by then. */
const IN_FLIGHT_MS = 500;
/** What the orchestrator says itself on the agent lane, under the number of the runner's last frame. */
const OWN_TYPES: readonly string[] = ['GenerationStarted', 'BranchPushed', 'BranchPushFailed'];

/** How the slow turn may end. */
export interface Expectation {
  /** `completed`, or the reason codes with which it may fail. */
  readonly outcomes: readonly ('completed' | 'sandbox.lost' | 'agent.crashed' | 'model')[];
  /** From the fault to the end of a failed attempt. */
  readonly failsWithinMs: number;
}

/** What there is to judge by, of one session. */
export interface Witnessed {
  readonly id: string;
  readonly log: SessionLog;
  readonly clients: readonly (readonly SessionEvent[])[];
  readonly acknowledged: readonly Acknowledged[];
  readonly faultAt: number;
}

/** How the slow turn ended. @throws what does not hold */
export function judge(witnessed: Witnessed, expected: Expectation): string {
  checkClients(witnessed);
  checkCommands(witnessed);
  checkTurnsAfter(witnessed);
  checkFrames(witnessed);
  checkSandboxes(witnessed);
  return checkSlowTurn(witnessed, expected);
}

/** Each client holds the log's own events, each once, in order; so their states are one. */
function checkClients({ id, log, clients }: Witnessed): void {
  const bytes = log.events.map((event) => JSON.stringify(event));
  for (const events of clients) {
    const other = events.findIndex((event, index) => JSON.stringify(event) !== bytes[index]);
    expect(JSON.stringify(events[other])).toBe(bytes[other]);
    expect(events).toHaveLength(bytes.length);
    expect(foldSession(id, events)).toEqual(foldSession(id, log.events));
  }
  expect(increases(log.events.map((event) => event.id))).toBe(true);
}

/** What was acknowledged is in the log, once, as it was sent. */
function checkCommands({ acknowledged, log: { events } }: Witnessed): void {
  const queued = events.filter(({ type }) => type === 'PromptQueued');
  expect(queued.map(({ data }) => data['text'])).toEqual(SlowTurn.promptTexts());
  for (const { promptId, text, head } of acknowledged) {
    expect(queued.filter(({ data }) => data['promptId'] === promptId && data['text'] === text)).toHaveLength(1);
    expect(events.some((event) => event.id === head)).toBe(true);
  }
}

/** Each queued prompt ran, once, and completed. */
function checkTurnsAfter({ acknowledged, log: { events } }: Witnessed): void {
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

/** Of each generation every frame from the first on, once: whatever a runner sent again. */
function checkFrames({ log: { frames, events } }: Witnessed): void {
  let before = { generation: 0, last: 0 };
  for (const { generation, first, last, types } of frames) {
    if (types.every((type) => OWN_TYPES.includes(type))) {
      expect({ generation, last }).toEqual(before);
      continue;
    }
    expect({ generation, first }).toEqual({ generation, first: generation === before.generation ? before.last + 1 : 1 });
    expect(generation).toBeGreaterThanOrEqual(before.generation);
    expect(types).toHaveLength(last - first + 1);
    before = { generation, last };
  }
  for (const finished of events.filter(({ type }) => type === 'AgentTurnFinished')) {
    const checkpoints = events.filter(({ type, turnId }) => type === 'CheckpointCreated' && turnId === finished.turnId);
    expect(checkpoints).toHaveLength(1);
    expect(BigInt(checkpoints[0]?.id ?? finished.id)).toBeLessThan(BigInt(finished.id));
  }
}

/** Generations follow one another; what a lost one had appended is named by its number of frames. */
function checkSandboxes({ log: { events, frames } }: Witnessed): void {
  const generations = events.filter(({ type }) => type === 'GenerationStarted').map(({ data }) => Number(data['generation']));
  expect(generations).toEqual(generations.map((_generation, index) => index + 1));
  for (const { data } of events.filter(({ type }) => type === 'SandboxLost')) {
    const appended = frames.filter(({ generation }) => generation === data['generation']).map(({ last }) => last);
    expect(data['appendedThrough']).toBe(Math.max(0, ...appended));
  }
}

function checkSlowTurn({ faultAt, log: { events } }: Witnessed, { outcomes, failsWithinMs }: Expectation): string {
  const ended = events.find(({ type }) => type === 'TurnEnded');
  if (!ended) throw new Error('the slow turn has no end');
  const ofTurn = events.filter(({ turnId }) => turnId === ended.turnId);
  // The fault fell inside the turn.
  expect(Date.parse(ended.at)).toBeGreaterThanOrEqual(faultAt);
  expect(ofTurn.filter(({ type }) => type === 'AgentStarted').length).toBeLessThanOrEqual(1);
  const outcome = outcomeOf(ended);
  // What the agent had finished before the fault stays finished.
  const finished = ofTurn.some(({ type, data }) => type === 'AgentTurnFinished' && data['outcome'] === 'completed');
  const text = textOf(ofTurn);
  if (outcome === 'completed') {
    expect(text).toContain(SlowTurn.slowText());
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

function increases(ids: readonly string[]): boolean {
  return ids.every((id, index) => index === 0 || BigInt(id) > BigInt(ids[index - 1] ?? 0));
}
