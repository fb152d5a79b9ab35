import { sessionBranch } from '@bullpen/contracts';
import type { EventData, Reason } from '@bullpen/contracts';
import { Fault, Rejection, assert } from '@bullpen/errors';
import type { ObjectStore } from '@bullpen/event-log';
import { startReconciler } from '@bullpen/reconcile';
import type { Reconciler, StepResult } from '@bullpen/reconcile';
import { Mirror } from '@bullpen/scm';
import type { PushRequest, PushResult } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import { planPush } from '../../core/push.plan.js';
import { stored } from '../../core/sandbox-events.js';
import { liveGeneration } from '../../core/sandbox.state.js';
import type { SandboxedSession } from '../../core/sandbox.state.js';
import type { FrameLanes } from '../nats/frame-lanes.js';
import type { SessionLanes } from '../nats/session-lanes.js';
import type { SessionStates } from '../nats/session-states.js';

/** Tries of one commit that end by a time limit or an unknown error, in this process; then the push counts as failed. */
const MAX_TRIES = 5;
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };
const CONCURRENCY = 2;
const RESYNC_MS = 60_000;

export interface BranchPusherParts {
  readonly states: SessionStates;
  readonly lanes: SessionLanes;
  readonly frameLanes: FrameLanes;
  readonly objects: ObjectStore;
  readonly mirrorsFolder: string;
  readonly push?: (request: PushRequest) => Promise<PushResult>;
  /** Whether this replica may act on the session, as of now. */
  readonly owns: (sessionId: string) => boolean;
  readonly logger: Logger;
}

/**
 * Pushes each new checkpoint to its session's branch. What is to be pushed is read from the log, so a restart carries on; pushing a
 * commit again changes nothing.
 */
export class BranchPusher {
  readonly #tries = new Map<string, number>();
  readonly #loop: Reconciler;

  constructor(private readonly parts: BranchPusherParts) {
    this.#loop = startReconciler({
      name: 'branch-push',
      step: (sessionId, signal) => this.#step(sessionId, signal),
      keys: () => parts.states.ids(),
      logger: parts.logger,
      backoff: BACKOFF,
      concurrency: CONCURRENCY,
      resyncMs: RESYNC_MS,
    });
  }

  wake(sessionId: string): void {
    this.#loop.wake(sessionId);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #step(sessionId: string, signal: AbortSignal): Promise<StepResult> {
    const session = this.parts.states.get(sessionId);
    const checkpoint = session && planPush(session);
    if (!session || !checkpoint || !this.parts.owns(sessionId)) return { againAfterMs: null };
    const outcome = await this.#push(session, checkpoint, signal);
    await this.#record(session, checkpoint, outcome);
    this.parts.logger.info('checkpoint pushed', { sessionId, sha: checkpoint.sha, pushed: outcome.pushed });
    return { againAfterMs: null };
  }

  async #push(session: SandboxedSession, { sha, bundle }: EventData['CheckpointCreated'], signal: AbortSignal): Promise<PushResult> {
    const { work, sessionId } = session;
    assert(work, `session ${sessionId} has a checkpoint but no repository`);
    const { id: repositoryId, source } = work.repository;
    const push = this.parts.push ?? ((request: PushRequest) => Mirror.pushCheckpoint(request));
    const key = `${sessionId}/${sha}`;
    try {
      const bytes = await this.parts.objects.get(bundle.sha256);
      const { mirrorsFolder } = this.parts;
      const outcome = await push({ mirrorsFolder, repositoryId, source, branch: sessionBranch(sessionId), sha, bundle: bytes, signal });
      this.#tries.delete(key);
      return outcome;
    } catch (error) {
      if (error instanceof Rejection) return { pushed: false, reason: { code: error.code, message: error.message } };
      const tries = (this.#tries.get(key) ?? 0) + 1;
      this.#tries.set(key, tries);
      if (tries < MAX_TRIES || signal.aborted) throw error;
      this.#tries.delete(key);
      this.parts.logger.warn('push given up', { sessionId, sha, tries, error });
      return { pushed: false, reason: reasonOf(error) };
    }
  }

  async #record(session: SandboxedSession, { sha, turnId }: EventData['CheckpointCreated'], outcome: PushResult): Promise<void> {
    const { fence, sessionId } = session;
    assert(fence, `session ${sessionId} has a checkpoint but no generation`);
    const at = new Date().toISOString();
    const branch = sessionBranch(sessionId);
    const event = outcome.pushed
      ? stored('BranchPushed', { branch, sha }, at, turnId)
      : stored('BranchPushFailed', { branch, sha, reason: outcome.reason }, at, turnId);
    try {
      const lane = await this.parts.frameLanes.open({ sessionId, ...fence });
      const { sequence } = await lane.appendOwn([event], `push:${sha}:${at}`);
      await this.parts.states.reached(sequence);
    } catch (error) {
      this.parts.frameLanes.drop(fence.sandboxId);
      if (!(error instanceof Rejection)) throw error;
      // A newer generation holds the lane by now: fold it, then append through that one.
      await this.parts.lanes.agentLaneFolded(sessionId, fence.generation);
      throw new Fault('push.unrecorded', `The push of ${sha} could not be recorded yet.`, { cause: error });
    } finally {
      const current = this.parts.states.get(sessionId);
      if (!current || !liveGeneration(current)) this.parts.frameLanes.drop(fence.sandboxId);
    }
  }
}

function reasonOf(error: unknown): Reason {
  const message = error instanceof Fault ? error.message : 'The push broke off. The platform log tells more.';
  return { code: error instanceof Fault ? error.code : 'push.failed', message };
}
