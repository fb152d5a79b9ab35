import { hostname } from 'node:os';

import { RUNNER_LINK_PATH } from '@bullpen/contracts';
import type { EventLog, Leases, ObjectStore } from '@bullpen/event-log';
import { startReconciler } from '@bullpen/reconcile';
import type { Reconciler, StepResult } from '@bullpen/reconcile';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import type { PushRequest, PushResult, SourceMirrorRequest, SourceRules } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import { ObservedSandboxes } from './adapters/driver/observed-sandboxes.js';
import type { ModelAccess } from './adapters/driver/sandbox-spec.js';
import { BranchPusher } from './adapters/git/branch-pusher.js';
import { SourceMirrors } from './adapters/git/source-mirrors.js';
import { LinkServer } from './adapters/link/link-server.js';
import { RunnerViews } from './adapters/link/runner-views.js';
import { FrameLanes } from './adapters/nats/frame-lanes.js';
import { SessionLanes } from './adapters/nats/session-lanes.js';
import { SessionStates } from './adapters/nats/session-states.js';
import { ShardLeases } from './adapters/nats/shard-leases.js';
import { plan } from './core/plan.js';
import type { Mode, ObservedSession } from './core/plan.js';
import { awaitsItsEnd, liveGeneration, newSandboxedSession } from './core/sandbox.state.js';
import type { SandboxedSession } from './core/sandbox.state.js';
import { shardOf, shardOfSandbox } from './core/shards.js';
import { SessionEraser } from './session-eraser.js';
import { StepExecutor } from './step-executor.js';

export interface OrchestratorParts {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  readonly driver: SandboxDriver;
  readonly model: ModelAccess;
  readonly tokenKey: string;
  readonly linkPort: number;
  /** Where sandboxes reach the link; null: on that port of this machine. */
  readonly linkUrl?: string | null;
  /** The same of every replica; empty when there is this one only. */
  readonly linkUrls?: readonly string[];
  /** Null: there is this replica only, and every session is its own. */
  readonly leases: Leases | null;
  readonly mirrorsFolder: string;
  /** The platform's own repository; null: it has none. */
  readonly sampleRepository?: string | null;
  /** Which sources may be read, as for a probe. */
  readonly sourceRules: SourceRules;
  /** Instead of a push from the mirror. */
  readonly push?: (request: PushRequest) => Promise<PushResult>;
  /** Instead of a fetch into the source's mirror. */
  readonly provideSource?: (request: SourceMirrorRequest) => Promise<string>;
  readonly logger: Logger;
}

export interface DrainOptions {
  readonly timeoutMs: number;
}

const DRAIN_POLL_MS = 50;
const PULSE_MS = 2_000;
/** Between two pulses this long, the process did not run. */
const SLEEP_MS = 20_000;

/** Keeps sandboxes as the log wants them. */
export class SandboxOrchestrator {
  #mode: Mode = 'serving';
  #aliveAt = Date.now();
  readonly #pulse: NodeJS.Timeout;

  private constructor(
    private readonly parts: Collaborators,
    private readonly logger: Logger,
  ) {
    this.#pulse = setInterval(() => this.#noticeSleep(Date.now()), PULSE_MS);
    this.#pulse.unref();
  }

  /** Resolves once the log is folded, the driver has listed its sandboxes and runners can connect. */
  static async start(parts: OrchestratorParts): Promise<SandboxOrchestrator> {
    const opened: Stoppable[] = [];
    try {
      return await SandboxOrchestrator.#assemble(parts, opened);
    } catch (error) {
      for (const part of opened.reverse()) await part.stop();
      throw error;
    }
  }

  static async #assemble(parts: OrchestratorParts, opened: Stoppable[]): Promise<SandboxOrchestrator> {
    const { log, logger, objects, driver, tokenKey, linkPort: port } = parts;
    const loops: Loops = {};
    const wake = (sessionId: string): void => {
      loops.sandboxes?.wake(sessionId);
      loops.pusher?.wake(sessionId);
    };
    const owns = (sessionId: string): boolean => parts.leases === null || (loops.shards?.owns(sessionId) ?? false);
    const states = await SessionStates.follow(log, wake);
    opened.push(states);
    const observed = await ObservedSandboxes.watch(driver, logger, wake);
    opened.push(observed);
    const views = new RunnerViews(() => Date.now());
    const frameLanes = new FrameLanes(log);
    const lanes = new SessionLanes(log, states);
    const address = parts.linkUrl ?? null;
    const links = await LinkServer.listen({ port, address, tokenKey, states, views, lanes: frameLanes, objects, logger, owns, onChange: wake });
    const linkUrls = (parts.linkUrls ?? []).map((url) => `${url}${RUNNER_LINK_PATH}`);
    const spec = { log, objects, tokenKey, model: parts.model, linkUrl: links.url, linkUrls };
    const sources = new SourceMirrors({ ...parts, onChange: wake });
    const { mirrorsFolder, sampleRepository = null } = parts;
    const eraser = new SessionEraser({ driver, lanes, mirrorsFolder, sampleRepository, logger });
    const executor = new StepExecutor({ driver, states, observed, views, frameLanes, lanes, links, eraser, spec, sources, owns, logger });
    loops.pusher = new BranchPusher({ ...parts, states, lanes, frameLanes, owns });
    const orchestrator = new SandboxOrchestrator({ log, states, observed, views, frameLanes, links, sources, executor, owns, loops }, logger);
    opened.splice(0, opened.length, { stop: () => orchestrator.close() });
    loops.sandboxes = startReconciler({
      name: 'sandboxes',
      step: (sessionId, signal) => orchestrator.#step(sessionId, signal),
      keys: () => orchestrator.#sessionIds(),
      logger,
    });
    if (parts.leases !== null) await orchestrator.#share(parts.leases);
    orchestrator.#wakeAll();
    return orchestrator;
  }

  /** For runners. */
  get linkPort(): number {
    return this.parts.links.port;
  }

  /**
   * Ends every sandbox of this replica in order: running turns are stopped, checkpoints made, and the end is recorded with the turn it ended, then the
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
    const { loops, sources, links, observed, states } = this.parts;
    clearInterval(this.#pulse);
    await loops.sandboxes?.stop();
    await sources.stop();
    await loops.pusher?.stop();
    await links.close();
    // Last: what is given back may be acted on by another at once.
    await loops.shards?.stop();
    await observed.stop();
    await states.stop();
  }

  async #step(sessionId: string, signal: AbortSignal): Promise<StepResult> {
    const session = this.parts.states.get(sessionId) ?? newSandboxedSession(sessionId);
    const now = Date.now();
    this.#noticeSleep(now);
    const isOwned = this.parts.owns(sessionId);
    this.parts.sources.keep(sessionId, isOwned ? (liveGeneration(session)?.sandboxId ?? null) : null);
    if (!isOwned) return { againAfterMs: null };
    const observed = this.#observe(session);
    const step = plan(session, observed, now, this.#mode);
    if (step.kind === 'wait') return { againAfterMs: step.until === null ? null : Math.max(1, step.until - now) };
    this.logger.debug('sandbox step', { sessionId, step: step.kind });
    await this.parts.executor.execute(step, { session, observed, signal });
    return { againAfterMs: 0 };
  }

  /** A machine that slept heard nobody, and must not take that for silence. */
  #noticeSleep(now: number): void {
    const pausedMs = now - this.#aliveAt;
    this.#aliveAt = now;
    if (pausedMs < SLEEP_MS) return;
    this.logger.warn('the process stood still', { pausedMs });
    this.parts.views.waitAnew();
    this.parts.loops.shards?.doubt();
  }

  /** With other replicas, each session being one's. Where it listens names this one: no other process can listen there. */
  async #share(leases: Leases): Promise<void> {
    const { links, loops } = this.parts;
    loops.shards = await ShardLeases.start({
      leases,
      me: `${hostname()}:${links.port}`,
      onGained: (shards) => this.#learn(shards),
      onOwned: () => this.#wakeAll(),
      onLost: (shards) => {
        links.leave((sessionId) => shards.has(shardOf(sessionId)));
        this.#forget(shards);
      },
      logger: this.logger,
    });
  }

  /** Another replica acted on these until now: what it did must be seen before the next step is planned. */
  async #learn(shards: ReadonlySet<number>): Promise<void> {
    const { log, observed, states } = this.parts;
    this.#forget(shards);
    await observed.resync();
    await states.reached(await log.lastSequence());
  }

  #forget(shards: ReadonlySet<number>): void {
    const isForgotten = (sandboxId: string): boolean => shards.has(shardOfSandbox(sandboxId));
    this.parts.views.dropAll(isForgotten);
    this.parts.frameLanes.dropAll(isForgotten);
  }

  #observe(session: SandboxedSession): ObservedSession {
    const { observed, views, sources } = this.parts;
    const { sessionId } = session;
    const runner = views.of(liveGeneration(session)?.sandboxId ?? NO_SANDBOX);
    return { sandboxes: observed.ofSession(sessionId), runner, isFetchingSource: sources.isFetching(sessionId) };
  }

  #isDrained(): boolean {
    const { states, observed, owns } = this.parts;
    if ([...observed.sessionIds()].some(owns)) return false;
    return [...states.ids()].filter(owns).every((sessionId) => {
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
      this.parts.loops.pusher?.wake(sessionId);
    }
  }
}

/** A view that nobody fills. */
const NO_SANDBOX = '';

interface Stoppable {
  stop(): Promise<void>;
}

interface Loops {
  sandboxes?: Reconciler;
  pusher?: BranchPusher;
  /** Absent where there is one replica only. */
  shards?: ShardLeases;
}

interface Collaborators {
  readonly log: EventLog;
  readonly states: SessionStates;
  readonly observed: ObservedSandboxes;
  readonly views: RunnerViews;
  readonly frameLanes: FrameLanes;
  readonly links: LinkServer;
  readonly sources: SourceMirrors;
  readonly executor: StepExecutor;
  readonly owns: (sessionId: string) => boolean;
  readonly loops: Loops;
}
