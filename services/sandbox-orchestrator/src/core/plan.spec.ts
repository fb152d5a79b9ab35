import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { EventOf, EventType, JsonRecord, StoredEvent } from '@bullpen/contracts';
import type { ObservedSandbox } from '@bullpen/sandbox-driver';

import { CANCEL_PATIENCE_MS, DRAIN_STOP_GRACE_MS, IDLE_STOP_MS, MAX_SPAWN_ATTEMPTS, STALE_MS, STOP_GRACE_MS, spawnBackoffMs } from './bounds.js';
import { plan } from './plan.js';
import type { Mode, ObservedRunner, ObservedSession, Step } from './plan.js';
import { eventsOf } from './sandbox-events.js';
import { CLOSABLE_LANES, evolve, liveGeneration, newSandboxedSession, turnInNeed } from './sandbox.state.js';
import type { SandboxedSession } from './sandbox.state.js';

const SESSION = '00session000000000000000000000';
const T0 = Date.parse('2026-11-01T10:00:00.000Z');

/** One session with its log, driver and runner as plain values, moved on by steps and by mishaps. */
class World {
  state: SandboxedSession = newSandboxedSession(SESSION);
  sandboxes = new Map<string, ObservedSandbox>();
  runner: ObservedRunner = silent(T0);
  now = T0;
  sequence = 0;
  mode: Mode = 'serving';
  isFetchingSource = false;
  turns = 0;
  prompted: string[] = [];

  constructor() {
    const repository = { id: 'r', name: 'sample', source: '/srv/sample' };
    const created = { organisationId: '', title: '', repository, branch: 'main', agent: 'pi', model: 'm', requestHash: '' };
    this.append('core', event('SessionCreated', { ...created, modelProvider: 'scripted' }, this.at));
  }

  get at(): string {
    return new Date(this.now).toISOString();
  }

  get observed(): ObservedSession {
    return { sandboxes: [...this.sandboxes.values()], runner: this.runner, isFetchingSource: this.isFetchingSource };
  }

  plan(): Step {
    return plan(this.state, this.observed, this.now, this.mode);
  }

  append(lane: 'core' | 'sandbox' | 'agent', ...events: StoredEvent[]): void {
    this.sequence += 1;
    for (const each of events) this.state = evolve(this.state, each, { lane, sequence: this.sequence });
  }

  startTurn(): void {
    if (this.state.turn) return;
    this.turns += 1;
    const id = String(this.turns);
    const author = { name: 'Ada', email: '' };
    const queued = event('PromptQueued', { promptId: `p${id}`, text: 'x', author, requestHash: '' }, this.at);
    this.append('core', queued, event('TurnStarted', { turnId: `t${id}`, promptId: `p${id}`, attempt: 1 }, this.at));
  }

  endTurn(outcome: 'completed' | 'failed' | 'cancelled' = 'completed'): void {
    const { turn } = this.state;
    if (turn) this.append('core', event('TurnEnded', { turnId: turn.turnId, attempt: turn.attempt, outcome }, this.at));
  }

  requestCancel(): void {
    if (this.state.turn) this.append('core', event('TurnCancelRequested', { turnId: this.state.turn.turnId }, this.at));
  }

  connect(stage: 'ready' | 'running' | 'idle' = 'ready'): void {
    const live = liveGeneration(this.state);
    if (!live || this.sandboxes.get(live.sandboxId)?.phase !== 'running') return;
    this.runner = { ...this.runner, connected: true, heardAt: this.now, stages: [{ stage, since: this.at }], delivered: null, cancelled: null };
  }

  startAgent(): void {
    const delivered = this.runner.delivered;
    if (!this.runner.connected || !delivered || this.state.agentTurn?.turnId === delivered.turnId) return;
    this.append('agent', event('AgentStarted', { ...delivered, agent: 'pi', model: 'm', conversation: 'new' }, this.at));
  }

  finishAgent(): void {
    const { agentTurn } = this.state;
    if (!this.runner.connected || !agentTurn || agentTurn.finished) return;
    const { turnId, attempt } = agentTurn;
    this.append('agent', event('AgentTurnFinished', { turnId, attempt, outcome: 'completed' }, this.at));
  }

  exit(exitCode: number | null): void {
    const live = liveGeneration(this.state);
    const there = live && this.sandboxes.get(live.sandboxId);
    if (there?.phase !== 'running') return;
    this.sandboxes.set(there.id, { ...there, phase: 'exited', exitCode, signal: exitCode === null ? 'SIGKILL' : null });
  }

  restart(): void {
    this.runner = { ...silent(this.now) };
  }

  /** What the executor does, on plain values. False for `wait`. */
  take(step: Step): boolean {
    switch (step.kind) {
      case 'wait':
        return false;
      case 'request':
      case 'giveUp':
      case 'enterStages':
        this.record(step);
        if (step.kind === 'request') this.runner = silent(this.now);
        if (step.kind === 'enterStages') this.runner = { ...this.runner, stages: [] };
        return true;
      case 'failSpawn':
      case 'lose':
      case 'recordStopped':
        this.record(step);
        this.runner = silent(this.now);
        return true;
      case 'fence': {
        const { generation, sandboxId } = step.sandbox;
        this.append('agent', event('GenerationStarted', { generation, sandboxId }, this.at));
        return true;
      }
      case 'apply': {
        const id = step.sandbox.sandboxId;
        this.sandboxes.set(id, { id, phase: 'running', exitCode: null, signal: null, logTail: '' });
        this.runner = { ...this.runner, heardAt: this.now };
        return true;
      }
      case 'closeLink':
        this.runner = { ...this.runner, connected: false };
        return true;
      case 'stop':
        this.runner = { ...this.runner, stopping: { since: this.now, reason: step.reason, sent: this.runner.connected } };
        return true;
      case 'remove':
        this.sandboxes.delete(step.sandboxId);
        if (step.sandboxId === liveGeneration(this.state)?.sandboxId) this.runner = { ...this.runner, connected: false };
        return true;
      case 'eraseSession':
        for (const lane of CLOSABLE_LANES) this.append(lane, event('LaneClosed', {}, this.at));
        return true;
      case 'deliverPrompt':
        this.prompted.push(`${step.turn.turnId}.${step.turn.attempt}@${step.sandbox.generation}`);
        this.runner = { ...this.runner, delivered: { turnId: step.turn.turnId, attempt: step.turn.attempt } };
        return true;
      case 'deliverCancel':
        this.runner = { ...this.runner, cancelled: { turnId: step.turnId, at: this.now } };
        return true;
    }
  }

  /** Steps until there is nothing to do now. */
  settle(): Step {
    for (let steps = 0; steps < 100; steps += 1) {
      const step = this.plan();
      if (!this.take(step)) return step;
      expect(this.sandboxes.size).toBeLessThanOrEqual(1);
    }
    throw new Error(`does not settle: ${JSON.stringify({ state: this.state, observed: this.observed, next: this.plan() })}`);
  }

  private record(step: Parameters<typeof eventsOf>[0]): void {
    this.append('sandbox', ...eventsOf(step, this.state, { at: this.at, driver: 'fake', isolation: 'none', appendedThrough: 0 }));
  }
}

function silent(heardAt: number): ObservedRunner {
  return { connected: false, heardAt, stages: [], failed: null, delivered: null, cancelled: null, stopping: null };
}

function event<T extends EventType>(type: T, data: EventOf<T>['data'], at: string): StoredEvent {
  return { type, v: 1, at, actor: { kind: 'service', id: 's', name: 's' }, data: data as unknown as JsonRecord };
}

/** A sandbox of generation 1 whose agent works on turn 1. */
function working(): World {
  const world = new World();
  world.startTurn();
  world.settle();
  world.connect();
  world.settle();
  world.startAgent();
  return world;
}

describe('plan', () => {
  it('does nothing without a turn', () => {
    expect(new World().plan()).toEqual({ kind: 'wait', until: null });
  });

  it('makes a sandbox for a turn: request, fence, stage, apply, in this order', () => {
    const world = new World();
    world.startTurn();
    const kinds: string[] = [];
    for (let step = world.plan(); world.take(step); step = world.plan()) kinds.push(step.kind);
    expect(kinds).toEqual(['request', 'fence', 'enterStages', 'apply']);
    expect(world.state.sandbox).toMatchObject({ generation: 1, sandboxId: `${SESSION}-1`, stage: 'provisioning' });
  });

  it('makes nothing while the source is fetched, however long that takes, and ends what is no longer wanted', () => {
    const world = new World();
    world.isFetchingSource = true;
    world.startTurn();
    world.settle();
    world.now += 10 * STALE_MS;
    world.settle();
    expect(world.sandboxes.size).toBe(0);
    expect(liveGeneration(world.state)).toMatchObject({ generation: 1, stage: 'provisioning' });
    world.endTurn('cancelled');
    world.settle();
    expect(world.sandboxes.size).toBe(0);
    expect(liveGeneration(world.state)).toBeNull();
  });

  it('gives the prompt to a ready runner once per link', () => {
    const world = working();
    expect(world.prompted).toEqual(['t1.1@1']);
    expect(world.settle()).toMatchObject({ kind: 'wait' });
    expect(world.prompted).toHaveLength(1);
  });

  it('repeats the prompt after a reconnect only while no agent has it', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.connect();
    world.settle();
    world.connect();
    world.settle();
    expect(world.prompted).toHaveLength(2);
    world.startAgent();
    world.connect('running');
    world.settle();
    expect(world.prompted).toHaveLength(2);
  });

  it('names nothing but the exit when the process ends, and waits for the session to end the turn', () => {
    const world = working();
    world.exit(null);
    expect(world.plan()).toMatchObject({ kind: 'closeLink' });
    world.runner = { ...world.runner, connected: false };
    expect(world.plan()).toMatchObject({ kind: 'lose', reason: { code: 'sandbox.lost' } });
    world.settle();
    expect(world.state.turn).toMatchObject({ lost: true });
    expect(world.plan()).toEqual({ kind: 'wait', until: null });
  });

  it('loses a silent sandbox after its time, connected or not', () => {
    const world = working();
    world.runner = { ...world.runner, heardAt: world.now };
    world.now += STALE_MS - 1;
    expect(world.plan().kind).toBe('wait');
    world.now += 1;
    expect(world.plan()).toMatchObject({ kind: 'lose', reason: { code: 'sandbox.silent' } });
  });

  it('counts a spawn that stays silent as failed', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.now += STALE_MS;
    expect(world.plan()).toMatchObject({ kind: 'failSpawn', reason: { code: 'sandbox.silent' } });
  });

  it('waits longer before each attempt and gives up after the last', () => {
    const world = new World();
    world.startTurn();
    for (let attempt = 1; attempt <= MAX_SPAWN_ATTEMPTS; attempt += 1) {
      world.settle();
      expect(world.state.sandbox).toMatchObject({ generation: attempt });
      world.exit(2);
      const rest = world.settle();
      if (attempt === MAX_SPAWN_ATTEMPTS) break;
      expect(rest).toEqual({ kind: 'wait', until: world.now + spawnBackoffMs(attempt) });
      world.now += spawnBackoffMs(attempt);
    }
    expect(world.state.sandbox).toMatchObject({ stage: 'failed', generation: MAX_SPAWN_ATTEMPTS });
    expect(world.plan()).toEqual({ kind: 'wait', until: null });
    world.endTurn('failed');
    world.startTurn();
    world.settle();
    expect(world.state.sandbox).toMatchObject({ stage: 'provisioning', generation: MAX_SPAWN_ATTEMPTS + 1 });
  });

  it('gives up at once on what cannot heal', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.runner = { ...world.runner, failed: { code: 'repository.branch-missing', message: '' } };
    world.settle();
    expect(world.state.sandbox).toMatchObject({ stage: 'failed', generation: 1 });
  });

  it('keeps an idle sandbox for its time, then stops it and keeps the workspace', () => {
    const world = working();
    world.finishAgent();
    world.endTurn();
    world.connect('idle');
    world.settle();
    world.now += IDLE_STOP_MS;
    world.runner = { ...world.runner, heardAt: world.now };
    expect(world.plan()).toMatchObject({ kind: 'stop', reason: { code: 'sandbox.idle' } });
    world.settle();
    world.exit(0);
    world.settle();
    expect(world.state.sandbox).toMatchObject({ stage: 'stopped' });
    expect(world.state.workspaceOf).toBe(`${SESSION}-1`);
    world.startTurn();
    world.settle();
    expect(world.state.sandbox).toMatchObject({ generation: 2 });
  });

  it('finishes a stop that began before a new turn, then makes the next generation', () => {
    const world = working();
    world.finishAgent();
    world.endTurn();
    world.now += IDLE_STOP_MS;
    world.connect('idle');
    world.settle();
    world.startTurn();
    expect(world.settle()).toMatchObject({ kind: 'wait' });
    world.now += STOP_GRACE_MS;
    world.settle();
    expect(world.state.sandbox).toMatchObject({ generation: 2 });
  });

  it('cancels a turn that an agent has, once per link, and replaces a runner that does not end it', () => {
    const world = working();
    world.requestCancel();
    expect(world.plan()).toMatchObject({ kind: 'deliverCancel', turnId: 't1' });
    world.settle();
    world.now += CANCEL_PATIENCE_MS;
    world.runner = { ...world.runner, heardAt: world.now };
    expect(world.plan()).toMatchObject({ kind: 'lose', reason: { code: 'sandbox.unresponsive' } });
  });

  it('cancels what an agent still does on a turn that was ended meanwhile', () => {
    const world = working();
    world.endTurn('cancelled');
    expect(world.plan()).toMatchObject({ kind: 'deliverCancel', turnId: 't1' });
  });

  it('cancels a prompt that is on its way to the agent, and gives the next one all the same', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.connect();
    world.settle();
    expect(world.prompted).toEqual(['t1.1@1']);
    world.requestCancel();
    world.endTurn('cancelled');
    expect(world.plan()).toMatchObject({ kind: 'deliverCancel', turnId: 't1' });
    expect(world.settle()).toMatchObject({ kind: 'wait' });
    world.startTurn();
    world.settle();
    expect(world.prompted).toEqual(['t1.1@1', 't2.1@1']);
  });

  it('does not deliver a prompt whose turn is being cancelled', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.requestCancel();
    world.connect();
    world.settle();
    expect(world.prompted).toEqual([]);
  });

  it('drains: stops what lives, records it with the reason, and makes nothing new', () => {
    const world = working();
    world.mode = 'draining';
    expect(world.plan()).toMatchObject({ kind: 'stop', reason: { code: 'platform.stopped' } });
    world.settle();
    world.now += DRAIN_STOP_GRACE_MS;
    world.settle();
    expect(world.sandboxes.size).toBe(0);
    expect(world.state.turn).toMatchObject({ lost: true });
    world.endTurn('failed');
    world.startTurn();
    expect(world.settle()).toEqual({ kind: 'wait', until: null });
  });

  it('removes what is left of other generations before anything else', () => {
    const world = working();
    const id = `${SESSION}-0`;
    world.sandboxes.set(id, { id, phase: 'running', exitCode: null, signal: null, logTail: '' });
    expect(world.plan()).toEqual({ kind: 'remove', sandboxId: id, keepWorkspace: false });
  });

  it('ends the sandbox of a closed session and keeps nothing', () => {
    const world = working();
    world.finishAgent();
    world.endTurn();
    world.append('core', event('SessionArchived', {}, world.at));
    expect(world.plan()).toMatchObject({ kind: 'stop', reason: { code: 'session.closed' } });
    world.settle();
    world.exit(0);
    world.runner = { ...world.runner, connected: false };
    const steps: Step[] = [];
    for (let step = world.plan(); world.take(step); step = world.plan()) steps.push(step);
    expect(steps.map(({ kind }) => kind)).toEqual(['recordStopped', 'remove']);
    expect(steps[1]).toMatchObject({ keepWorkspace: true });
  });

  it('takes a deleted session apart: stop, remove with its workspace, then the end of the lanes, once', () => {
    const world = new World();
    world.startTurn();
    world.settle();
    world.connect();
    world.settle();
    world.append('core', event('TurnEnded', { turnId: 't1', attempt: 1, outcome: 'cancelled' }, world.at), event('SessionDeleted', {}, world.at));
    expect(world.plan()).toMatchObject({ kind: 'stop', reason: { code: 'session.closed' } });
    world.settle();
    world.exit(0);
    world.runner = { ...world.runner, connected: false };
    const steps: Step[] = [];
    for (let step = world.plan(); world.take(step); step = world.plan()) steps.push(step);
    expect(steps.map(({ kind }) => kind)).toEqual(['recordStopped', 'remove', 'eraseSession']);
    expect(steps[1]).toMatchObject({ keepWorkspace: false });
  });

  it('has nothing to do for a session of which only the ends of its lanes are left, and goes on where it was broken off', () => {
    const tombstone = event('LaneClosed', {}, new Date(T0).toISOString());
    const left = (...lanes: ('core' | 'sandbox' | 'agent')[]): SandboxedSession =>
      lanes.reduce((state, lane, index) => evolve(state, tombstone, { lane, sequence: index + 1 }), newSandboxedSession(SESSION));
    const next = (state: SandboxedSession): string => plan(state, { sandboxes: [], runner: silent(T0), isFetchingSource: false }, T0).kind;
    expect(next(left('agent', 'sandbox', 'core'))).toBe('wait');
    expect(next(left('agent'))).toBe('eraseSession');
  });

  it('property: whatever happens, a session never has two sandboxes, an attempt starts at most once, and all settles', () => {
    const mishaps = fc.constantFrom(...MISHAPS);
    fc.assert(
      fc.property(fc.array(mishaps, { maxLength: 80 }), (script) => {
        const world = new World();
        for (const mishap of script) happen(world, mishap);
        healthyFrom(world);
        const started = world.prompted.map((prompt) => prompt.split('@')[1]);
        expect([...started].sort((a, b) => Number(a) - Number(b))).toEqual(started);
      }),
      { numRuns: 500 },
    );
  });
});

const MISHAPS = [
  ...['startTurn', 'endTurn', 'cancel', 'connect', 'startAgent', 'finishAgent', 'step', 'step'],
  ...['crash', 'workspaceFails', 'exitZero', 'vanish', 'restart', 'disconnect', 'time', 'longTime'],
];

function happen(world: World, mishap: string): void {
  const steps: Record<string, () => void> = {
    startTurn: () => world.startTurn(),
    endTurn: () => world.state.turn && (world.state.turn.lost || world.state.agentTurn?.finished) && world.endTurn('failed'),
    cancel: () => world.requestCancel(),
    connect: () => world.connect(),
    startAgent: () => world.startAgent(),
    finishAgent: () => world.finishAgent(),
    crash: () => world.exit(1),
    workspaceFails: () => world.exit(2),
    exitZero: () => world.exit(0),
    vanish: () => world.sandboxes.clear(),
    restart: () => world.restart(),
    disconnect: () => (world.runner = { ...world.runner, connected: false }),
    time: () => (world.now += 5_000),
    longTime: () => (world.now += 61_000),
    step: () => world.take(world.plan()),
  };
  steps[mishap]?.();
  expect(world.sandboxes.size).toBeLessThanOrEqual(1);
}

/** From any state: with a world that behaves from now on, the running turn reaches its end. */
function healthyFrom(world: World): void {
  for (let rounds = 0; rounds < 60 && world.state.turn; rounds += 1) {
    const rest = world.settle();
    const { turn, agentTurn, sandbox } = world.state;
    if (!turn) return;
    const isOver = turn.lost || (agentTurn?.finished && agentTurn.turnId === turn.turnId) || sandbox?.stage === 'failed';
    const cancelledUnstarted = turn.cancelRequested && !(agentTurn && agentTurn.turnId === turn.turnId);
    if (isOver || cancelledUnstarted) world.endTurn('failed');
    else if (world.runner.stopping) world.exit(0);
    else if (!world.runner.connected && world.sandboxes.size > 0) world.connect();
    else if (world.runner.delivered && agentTurn?.turnId !== turn.turnId) world.startAgent();
    else if (agentTurn && !agentTurn.finished) world.finishAgent();
    else world.now = rest.kind === 'wait' && rest.until !== null ? Math.max(world.now, rest.until) : world.now + 1_000;
  }
  if (world.state.turn) throw new Error(`stuck: ${JSON.stringify({ state: world.state, observed: world.observed, next: world.plan() })}`);
  expect(turnInNeed(world.state)).toBeNull();
}

