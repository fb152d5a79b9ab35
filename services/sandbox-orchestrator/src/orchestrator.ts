import type { EventLog, ObjectStore } from '@bullpen/event-log';
import { startReconciler } from '@bullpen/reconcile';
import type { Reconciler, StepResult } from '@bullpen/reconcile';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import type { PushRequest, PushResult } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import { ObservedSandboxes } from './adapters/driver/observed-sandboxes.js';
import type { ModelAccess } from './adapters/driver/sandbox-spec.js';
import { BranchPusher } from './adapters/git/branch-pusher.js';
import { LinkServer } from './adapters/link/link-server.js';
import { RunnerViews } from './adapters/link/runner-views.js';
import { FrameLanes } from './adapters/nats/frame-lanes.js';
import { SessionLanes } from './adapters/nats/session-lanes.js';
import { SessionStates } from './adapters/nats/session-states.js';
import { plan } from './core/plan.js';
import type { Mode, ObservedSession } from './core/plan.js';
import { awaitsItsEnd, liveGeneration, newSandboxedSession } from './core/sandbox.state.js';
import type { SandboxedSession } from './core/sandbox.state.js';
import { StepExecutor } from './step-executor.js';

export interface OrchestratorParts {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  readonly driver: SandboxDriver;
  readonly model: ModelAccess;
  readonly tokenKey: string;
  readonly linkPort: number;
  readonly mirrorsFolder: string;
  /** Instead of a push from the mirror. */
  readonly push?: (request: PushRequest) => Promise<PushResult>;
  readonly logger: Logger;
}

export interface DrainOptions {
  readonly timeoutMs: number;
}

const DRAIN_POLL_MS = 50;

/** Keeps sandboxes as the log wants them. */
export class SandboxOrchestrator {
  #mode: Mode = 'serving';

  private constructor(
    private readonly parts: Collaborators,
    private readonly logger: Logger,
  ) {}

  /** Resolves once the log is folded, the driver has listed its sandboxes and runners can connect. */
  static async start(parts: OrchestratorParts): Promise<SandboxOrchestrator> {
    const { log, logger } = parts;
    const loops: { sandboxes?: Reconciler; pusher?: BranchPusher } = {};
    const wake = (sessionId: string): void => {
      loops.sandboxes?.wake(sessionId);
      loops.pusher?.wake(sessionId);
    };
    const states = await SessionStates.follow(log, wake);
    const observed = await ObservedSandboxes.watch(parts.driver, logger, wake);
    const views = new RunnerViews(() => Date.now());
    const frameLanes = new FrameLanes(log);
    const lanes = new SessionLanes(log, states);
    const { objects, tokenKey, linkPort: port } = parts;
    const links = await LinkServer.listen({ port, tokenKey, states, views, lanes: frameLanes, objects, logger, onChange: wake });
    const pusher = new BranchPusher({ ...parts, states, lanes, frameLanes });
    const spec = { log, objects, tokenKey, model: parts.model, linkUrl: `ws://127.0.0.1:${links.port}/runner` };
    const executor = new StepExecutor({ driver: parts.driver, states, observed, views, frameLanes, lanes, links, spec, logger });
    const orchestrator = new SandboxOrchestrator({ states, observed, views, links, pusher, executor, loops }, logger);
    loops.pusher = pusher;
    loops.sandboxes = startReconciler({
      name: 'sandboxes',
      step: (sessionId, signal) => orchestrator.#step(sessionId, signal),
      keys: () => orchestrator.#sessionIds(),
      logger,
    });
    orchestrator.#wakeAll();
    return orchestrator;
  }

  /** For runners. */
  get linkPort(): number {
    return this.parts.links.port;
  }

  /**
   * Ends every sandbox in order: running turns are stopped, checkpoints made, and the end is recorded with the turn it ended, then the
   * sandboxes are removed. None is made any more. Waits for the session service to end the turns. May be repeated.
   *
   * @returns false when some were left after the time
   */
  async drain({ timeoutMs }: DrainOptions): Promise<boolean> {
    this.#mode = 'draining';
    this.#wakeAll();
    const until = Date.now() + timeoutMs;
    while (!this.#isDrained()) {
      if (Date.now() >= until) return false;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
    return true;
  }

  /** Leaves the sandboxes running: the next process takes over. */
  async close(): Promise<void> {
    const { loops, pusher, links, observed, states } = this.parts;
    await loops.sandboxes?.stop();
    await pusher.stop();
    await links.close();
    await observed.stop();
    await states.stop();
  }

  async #step(sessionId: string, signal: AbortSignal): Promise<StepResult> {
    const session = this.parts.states.get(sessionId) ?? newSandboxedSession(sessionId);
    const now = Date.now();
    const observed = this.#observe(session);
    const step = plan(session, observed, now, this.#mode);
    if (step.kind === 'wait') return { againAfterMs: step.until === null ? null : Math.max(1, step.until - now) };
    this.logger.debug('sandbox step', { sessionId, step: step.kind });
    await this.parts.executor.execute(step, { session, observed, signal });
    return { againAfterMs: 0 };
  }

  #observe(session: SandboxedSession): ObservedSession {
    const { observed, views } = this.parts;
    return { sandboxes: observed.ofSession(session.sessionId), runner: views.of(liveGeneration(session)?.sandboxId ?? NO_SANDBOX) };
  }

  #isDrained(): boolean {
    const { states, observed } = this.parts;
    if (observed.size > 0) return false;
    return [...states.ids()].every((sessionId) => {
      const session = states.get(sessionId);
      return !session || (liveGeneration(session) === null && !awaitsItsEnd(session));
    });
  }

  #sessionIds(): Iterable<string> {
    return new Set([...this.parts.states.ids(), ...this.parts.observed.sessionIds()]);
  }

  #wakeAll(): void {
    for (const sessionId of this.#sessionIds()) {
      this.parts.loops.sandboxes?.wake(sessionId);
      this.parts.pusher.wake(sessionId);
    }
  }
}

/** A view that nobody fills. */
const NO_SANDBOX = '';

interface Collaborators {
  readonly states: SessionStates;
  readonly observed: ObservedSandboxes;
  readonly views: RunnerViews;
  readonly links: LinkServer;
  readonly pusher: BranchPusher;
  readonly executor: StepExecutor;
  readonly loops: { readonly sandboxes?: Reconciler };
}
