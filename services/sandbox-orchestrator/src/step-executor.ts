import { Fault, Rejection, assert } from '@bullpen/errors';
import type { Reason } from '@bullpen/contracts';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import type { Logger } from '@bullpen/telemetry';

import type { ObservedSandboxes } from './adapters/driver/observed-sandboxes.js';
import { sandboxSpec } from './adapters/driver/sandbox-spec.js';
import type { SpecSources } from './adapters/driver/sandbox-spec.js';
import type { SourceMirrors } from './adapters/git/source-mirrors.js';
import { measureSandboxEvents } from './adapters/metrics.js';
import type { SessionEraser } from './session-eraser.js';
import type { LinkServer } from './adapters/link/link-server.js';
import type { RunnerViews } from './adapters/link/runner-views.js';
import type { FrameLanes } from './adapters/nats/frame-lanes.js';
import type { SessionLanes } from './adapters/nats/session-lanes.js';
import type { SessionStates } from './adapters/nats/session-states.js';
import type { ObservedSession, Step } from './core/plan.js';
import { eventsOf } from './core/sandbox-events.js';
import type { RecordedStep } from './core/sandbox-events.js';
import { liveGeneration } from './core/sandbox.state.js';
import type { Generation, SandboxedSession } from './core/sandbox.state.js';

export interface StepExecutorParts {
  readonly driver: SandboxDriver;
  readonly states: SessionStates;
  readonly observed: ObservedSandboxes;
  readonly views: RunnerViews;
  readonly frameLanes: FrameLanes;
  readonly lanes: SessionLanes;
  readonly links: LinkServer;
  readonly eraser: SessionEraser;
  readonly spec: SpecSources;
  readonly sources: SourceMirrors;
  /** Whether this replica may act on the session, as of now. */
  readonly owns: (sessionId: string) => boolean;
  readonly logger: Logger;
}

export interface StepContext {
  readonly session: SandboxedSession;
  /** What the step was planned on. */
  readonly observed: ObservedSession;
  readonly signal: AbortSignal;
}

type ActiveStep = Exclude<Step, { kind: 'wait' }>;
type EndingStep = Extract<Step, { kind: 'failSpawn' | 'lose' | 'recordStopped' }>;

/** Takes one planned step. Each may be taken again after a crash at any point within it. */
export class StepExecutor {
  constructor(private readonly parts: StepExecutorParts) {}

  async execute(step: ActiveStep, context: StepContext): Promise<void> {
    const { session, signal } = context;
    switch (step.kind) {
      case 'request':
      case 'giveUp':
        return this.#record(step, session, 0);
      case 'enterStages':
        await this.#record(step, session, 0);
        return this.parts.views.recorded(step.sandbox.sandboxId, context.observed.runner.stages.length);
      case 'fence':
        return this.parts.lanes.fence(session, step.sandbox, now());
      case 'apply':
        return this.#apply(step.sandbox, context);
      case 'closeLink':
        return this.parts.links.lastWords(step.sandbox.sandboxId);
      case 'failSpawn':
      case 'lose':
      case 'recordStopped':
        return this.#end(step, session);
      case 'stop':
        return this.#stop(step.sandbox, step.reason);
      case 'remove':
        return this.#remove(step, context);
      case 'eraseSession':
        return this.parts.eraser.erase(session, signal);
      case 'deliverPrompt':
        return this.#deliverPrompt(step, session);
      case 'deliverCancel':
        return this.#deliverCancel(step);
    }
  }

  async #record(step: RecordedStep, session: SandboxedSession, appendedThrough: number): Promise<void> {
    const { driver, lanes, logger } = this.parts;
    const events = eventsOf(step, session, { at: now(), driver: driver.name, isolation: driver.isolation, appendedThrough });
    await lanes.appendToSandbox(session, events);
    measureSandboxEvents(session, events);
    logger.info('sandbox step recorded', { sessionId: session.sessionId, step: step.kind, events: events.map(({ type }) => type) });
  }

  /** Everything the sandbox said is in the log before its end is: only then is it known which turn ended with it. */
  #end(step: EndingStep, session: SandboxedSession): Promise<void> {
    const { links, lanes, states, views, frameLanes } = this.parts;
    const { sandboxId, generation } = step.sandbox;
    return links.endDuring(sandboxId, async () => {
      const appendedThrough = await lanes.agentLaneFolded(session.sessionId, generation);
      const fresh = states.get(session.sessionId) ?? session;
      if (liveGeneration(fresh)?.sandboxId !== sandboxId) return;
      await this.#record(step, fresh, appendedThrough);
      views.drop(sandboxId);
      frameLanes.drop(sandboxId);
    });
  }

  async #apply(sandbox: Generation, { session, observed, signal }: StepContext): Promise<void> {
    const { driver, spec, sources, views, logger } = this.parts;
    try {
      const source = sources.provide(session, sandbox);
      if (source.kind === 'fetching') return;
      const request = { session, sandbox, sourcePath: source.sourcePath };
      const wanted = await sandboxSpec(request, spec);
      this.#requireOwned(session.sessionId);
      await driver.apply(sandbox.sandboxId, wanted, signal);
    } catch (error) {
      const reason = signal.aborted ? null : spawnFailure(error);
      if (!reason) throw error;
      logger.warn('sandbox could not be made', { sandboxId: sandbox.sandboxId, error });
      return this.#end({ kind: 'failSpawn', sandbox, reason, logTail: observed.sandboxes[0]?.logTail ?? '' }, session);
    }
    this.parts.observed.assume(sandbox.sandboxId);
    views.applied(sandbox.sandboxId);
  }

  async #stop({ sandboxId }: Generation, reason: Reason): Promise<void> {
    const sent = this.parts.links.send(sandboxId, { kind: 'stop', reason });
    this.parts.views.stopping(sandboxId, reason, sent);
  }

  async #remove({ sandboxId, keepWorkspace }: Extract<Step, { kind: 'remove' }>, { session, signal }: StepContext): Promise<void> {
    await this.parts.links.end(sandboxId);
    this.#requireOwned(session.sessionId);
    await this.parts.driver.remove(sandboxId, { keepWorkspace }, signal);
    this.parts.observed.forget(sandboxId);
    this.parts.logger.info('sandbox removed', { sandboxId, keepWorkspace });
  }

  /** Asked last thing before the world is changed: the process may have been stopped since the step was planned. */
  #requireOwned(sessionId: string): void {
    if (this.parts.owns(sessionId)) return;
    throw new Fault('shard.not-owned', `Session ${sessionId} is another replica's by now. Nothing was done.`);
  }

  async #deliverPrompt({ sandbox, turn }: Extract<Step, { kind: 'deliverPrompt' }>, session: SandboxedSession): Promise<void> {
    const prompt = session.prompts[turn.promptId];
    assert(prompt, `turn ${turn.turnId} has no prompt ${turn.promptId}`);
    const { turnId, attempt, traceparent } = turn;
    const { text, author } = prompt;
    const trace = traceparent ? { traceparent } : {};
    const sent = this.parts.links.send(sandbox.sandboxId, { kind: 'prompt', turnId, attempt, text, author, ...trace });
    if (sent) this.parts.views.delivered(sandbox.sandboxId, turn);
  }

  async #deliverCancel({ sandbox, turnId }: Extract<Step, { kind: 'deliverCancel' }>): Promise<void> {
    if (this.parts.links.send(sandbox.sandboxId, { kind: 'cancel', turnId })) this.parts.views.cancelled(sandbox.sandboxId, turnId);
  }
}

/** Families of Faults that count as an attempt to spawn: of the driver, of the source. */
const SPAWN_FAULT = /^(?:sandbox|repository|git)\./;

/** What the driver, the source or the making of the spec says; the log being away is no failure of the spawn. */
function spawnFailure(error: unknown): Reason | null {
  if (error instanceof Rejection) return { code: error.code, message: error.message };
  if (error instanceof Fault && SPAWN_FAULT.test(error.code)) return { code: error.code, message: error.message };
  return null;
}

function now(): string {
  return new Date().toISOString();
}
