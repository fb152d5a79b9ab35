import type { Reason, RunnerStage, SandboxStage } from '@bullpen/contracts';
import { RUNNER_EXIT, sandboxIdOf } from '@bullpen/contracts';
import type { ObservedSandbox } from '@bullpen/sandbox-driver';

import {
  CANCEL_PATIENCE_MS,
  DRAIN_STOP_GRACE_MS,
  IDLE_STOP_MS,
  MAX_SPAWN_ATTEMPTS,
  PERMANENT_SPAWN_FAILURES,
  STALE_MS,
  STOP_GRACE_MS,
  spawnBackoffMs,
} from './bounds.js';
import { CLOSABLE_LANES, STOP_CODES, isSameAttempt, liveGeneration, turnAtStake, turnInNeed } from './sandbox.state.js';
import type { Generation, RunningTurn, SandboxedSession } from './sandbox.state.js';

/** What is there for one session, as far as this process knows. */
export interface ObservedSession {
  /** Everything the driver has for the session. */
  readonly sandboxes: readonly ObservedSandbox[];
  /** Of the newest generation. */
  readonly runner: ObservedRunner;
  /** What its sandbox is to clone from is not there yet; a wake-up follows. */
  readonly isFetchingSource: boolean;
}

/** One runner as its link shows it. Times in milliseconds. */
export interface ObservedRunner {
  readonly connected: boolean;
  /** Its last word, or when this process began to wait for one. */
  readonly heardAt: number;
  /** Reported, not yet in the log, in order. */
  readonly stages: readonly ReportedStage[];
  /** It could not make its workspace. */
  readonly failed: Reason | null;
  /** Sent over the link as it is now. */
  readonly delivered: { readonly turnId: string; readonly attempt: number } | null;
  readonly cancelled: { readonly turnId: string; readonly at: number } | null;
  /** Told to end; `sent` is false when no link was there to tell it. */
  readonly stopping: { readonly since: number; readonly reason: Reason; readonly sent: boolean } | null;
}

export interface ReportedStage {
  readonly stage: RunnerStage;
  /** RFC 3339. */
  readonly since: string;
}

/** draining: the platform shuts down; sandboxes end and none is made. */
export type Mode = 'serving' | 'draining';

export type Step =
  | { readonly kind: 'wait'; readonly until: number | null }
  | { readonly kind: 'request'; readonly generation: number; readonly sandboxId: string; readonly attempt: number }
  /** GenerationStarted, before anything of the generation exists. */
  | { readonly kind: 'fence'; readonly sandbox: Generation }
  | { readonly kind: 'enterStages'; readonly sandbox: Generation; readonly stages: readonly EnteredStage[] }
  | { readonly kind: 'apply'; readonly sandbox: Generation }
  /** Its process ended: what it still said is read to the end before the end is judged. */
  | { readonly kind: 'closeLink'; readonly sandbox: Generation }
  | { readonly kind: 'failSpawn'; readonly sandbox: Generation; readonly reason: Reason; readonly logTail: string }
  | { readonly kind: 'giveUp'; readonly sandbox: Generation; readonly reason: Reason }
  | { readonly kind: 'lose'; readonly sandbox: Generation; readonly reason: Reason; readonly logTail: string }
  | { readonly kind: 'stop'; readonly sandbox: Generation; readonly reason: Reason }
  | { readonly kind: 'recordStopped'; readonly sandbox: Generation; readonly reason: Reason }
  | { readonly kind: 'remove'; readonly sandboxId: string; readonly keepWorkspace: boolean }
  /** The session is deleted and nothing of it runs: what is left of it goes, then its lanes get their last event. */
  | { readonly kind: 'eraseSession' }
  | { readonly kind: 'deliverPrompt'; readonly sandbox: Generation; readonly turn: RunningTurn }
  | { readonly kind: 'deliverCancel'; readonly sandbox: Generation; readonly turnId: string };

export interface EnteredStage {
  readonly stage: SandboxStage;
  /** RFC 3339; null: now. */
  readonly since: string | null;
}

const NOTHING: Step = { kind: 'wait', until: null };

/** The one next step from what is there to what should be; `wait` once they agree. */
export function plan(desired: SandboxedSession, observed: ObservedSession, now: number, mode: Mode = 'serving'): Step {
  const live = liveGeneration(desired);
  const leftOver = observed.sandboxes.find(({ id }) => id !== live?.sandboxId);
  // First, so that a session never has two sandboxes.
  if (leftOver) return { kind: 'remove', sandboxId: leftOver.id, keepWorkspace: keepsWorkspace(desired, leftOver.id) };
  if (live) return planLive({ desired, observed, now, mode }, live);
  const isLeft = desired.deleted && CLOSABLE_LANES.some((lane) => !desired.closedLanes.includes(lane));
  return isLeft ? { kind: 'eraseSession' } : planSpawn(desired, now, mode);
}

/** Whether the spawn that just failed for `reason`, as attempt number `attempt`, is worth another. */
export function isLastAttempt(attempt: number, reason: Reason): boolean {
  return attempt >= MAX_SPAWN_ATTEMPTS || PERMANENT_SPAWN_FAILURES.has(reason.code);
}

interface Situation {
  readonly desired: SandboxedSession;
  readonly observed: ObservedSession;
  readonly now: number;
  readonly mode: Mode;
}

function planSpawn(desired: SandboxedSession, now: number, mode: Mode): Step {
  if (mode === 'draining' || !turnInNeed(desired)) return NOTHING;
  const last = desired.sandbox;
  if (last && (desired.exhausted || desired.attempts >= MAX_SPAWN_ATTEMPTS)) {
    const reason = desired.endReason ?? { code: 'sandbox.failed', message: 'No sandbox could be started.' };
    return last.stage === 'failed' ? NOTHING : { kind: 'giveUp', sandbox: last, reason };
  }
  const retryAt = Date.parse(last?.endedAt ?? '') + spawnBackoffMs(desired.attempts);
  if (desired.attempts > 0 && retryAt > now) return { kind: 'wait', until: retryAt };
  const generation = (last?.generation ?? 0) + 1;
  return { kind: 'request', generation, sandboxId: sandboxIdOf(desired.sessionId, generation), attempt: desired.attempts + 1 };
}

function planLive(situation: Situation, sandbox: Generation): Step {
  const { desired, observed } = situation;
  const { runner } = observed;
  const there = observed.sandboxes.find(({ id }) => id === sandbox.sandboxId) ?? null;
  if (desired.fence?.sandboxId !== sandbox.sandboxId) return planUnfenced(situation, sandbox);
  const stages = newStages(sandbox, runner.stages);
  if (stages.length > 0) return { kind: 'enterStages', sandbox, stages };
  if (runner.failed && !sandbox.ready) return { kind: 'failSpawn', sandbox, reason: runner.failed, logTail: there?.logTail ?? '' };
  if (there?.phase === 'exited' || there?.phase === 'failed') {
    return runner.connected ? { kind: 'closeLink', sandbox } : planEnded(situation, sandbox, there);
  }
  if (!there && !runner.connected) return planAbsent(situation, sandbox);
  return planAlive(situation, sandbox);
}

function planUnfenced({ desired, mode }: Situation, sandbox: Generation): Step {
  return isUnwanted(desired, mode) ? { kind: 'recordStopped', sandbox, reason: endReason(desired, mode) } : { kind: 'fence', sandbox };
}

/** The driver does not have it: not made yet, removed on purpose, or gone. */
function planAbsent(situation: Situation, sandbox: Generation): Step {
  const { desired, mode, observed } = situation;
  if (observed.runner.stopping) return planEnded(situation, sandbox, null);
  const isMade = sandbox.stage !== 'requested' && sandbox.stage !== 'provisioning';
  if (isMade) return planEnded(situation, sandbox, null);
  if (isUnwanted(desired, mode)) return { kind: 'recordStopped', sandbox, reason: endReason(desired, mode) };
  if (sandbox.stage === 'requested') return { kind: 'enterStages', sandbox, stages: [{ stage: 'provisioning', since: null }] };
  if (observed.isFetchingSource) return NOTHING;
  return { kind: 'apply', sandbox };
}

/** Its process ended, or it is not there any more. */
function planEnded({ desired, observed }: Situation, sandbox: Generation, there: ObservedSandbox | null): Step {
  const { stopping } = observed.runner;
  const logTail = there?.logTail ?? '';
  const reason = stopping?.reason ?? exitReason(there);
  if (turnAtStake(desired)) return { kind: 'lose', sandbox, reason, logTail };
  if (stopping || (sandbox.ready && there?.exitCode === RUNNER_EXIT.stopped)) return { kind: 'recordStopped', sandbox, reason };
  return sandbox.ready ? { kind: 'lose', sandbox, reason, logTail } : { kind: 'failSpawn', sandbox, reason, logTail };
}

function planAlive(situation: Situation, sandbox: Generation): Step {
  const { desired, observed, now, mode } = situation;
  const { runner } = observed;
  if (runner.stopping) return planStopping(situation, sandbox);
  if (mode === 'draining' || desired.closed) return { kind: 'stop', sandbox, reason: endReason(desired, mode) };
  const staleAt = runner.heardAt + STALE_MS;
  if (now >= staleAt) return planStale(situation, sandbox);
  if (!runner.connected) return { kind: 'wait', until: staleAt };
  return planWork(situation, sandbox, staleAt);
}

function planStopping({ desired, observed, now, mode }: Situation, sandbox: Generation): Step {
  const { stopping } = observed.runner;
  const graceMs = mode === 'draining' ? DRAIN_STOP_GRACE_MS : STOP_GRACE_MS;
  const until = stopping?.sent ? stopping.since + graceMs : now;
  if (until > now) return { kind: 'wait', until };
  return { kind: 'remove', sandboxId: sandbox.sandboxId, keepWorkspace: keepsWorkspace(desired, sandbox.sandboxId) };
}

function planStale({ observed }: Situation, sandbox: Generation): Step {
  const reason = { code: 'sandbox.silent', message: `The sandbox was not heard of for ${STALE_MS / 1_000} seconds.` };
  const logTail = observed.sandboxes[0]?.logTail ?? '';
  return { kind: sandbox.ready ? 'lose' : 'failSpawn', sandbox, reason, logTail };
}

/** A healthy sandbox with a link: prompt, cancel, or rest. */
function planWork({ desired, observed, now }: Situation, sandbox: Generation, staleAt: number): Step {
  const { runner } = observed;
  const active = desired.agentTurn && !desired.agentTurn.finished ? desired.agentTurn : null;
  const begun = active ?? promptOnItsWay(desired, runner);
  const mustEnd = begun && (!isSameAttempt(begun, desired.turn) || desired.turn?.cancelRequested === true);
  if (begun && mustEnd && runner.cancelled?.turnId !== begun.turnId) return { kind: 'deliverCancel', sandbox, turnId: begun.turnId };
  if (active && mustEnd && runner.cancelled) {
    const patienceUntil = runner.cancelled.at + CANCEL_PATIENCE_MS;
    if (now < patienceUntil) return { kind: 'wait', until: Math.min(patienceUntil, staleAt) };
    const reason = { code: 'sandbox.unresponsive', message: 'The sandbox did not end the turn when asked to.' };
    return { kind: 'lose', sandbox, reason, logTail: observed.sandboxes[0]?.logTail ?? '' };
  }
  const turn = active ? null : turnInNeed(desired);
  if (turn && sandbox.ready && !isSameAttempt(runner.delivered, turn)) return { kind: 'deliverPrompt', sandbox, turn };
  if (desired.turn) return { kind: 'wait', until: staleAt };
  const idleUntil = Date.parse(desired.idleSince ?? sandbox.requestedAt) + IDLE_STOP_MS;
  if (now < idleUntil) return { kind: 'wait', until: Math.min(idleUntil, staleAt) };
  const reason = { code: STOP_CODES.idle, message: `Nothing ran for ${IDLE_STOP_MS / 60_000} minutes; the workspace is kept.` };
  return { kind: 'stop', sandbox, reason };
}

/** Delivered over this link, while the log does not say yet that an agent has it. */
function promptOnItsWay({ agentTurn }: SandboxedSession, { delivered }: ObservedRunner): ObservedRunner['delivered'] {
  return isSameAttempt(agentTurn, delivered) ? null : delivered;
}

/** Reported stages that say something new, in order. */
function newStages(sandbox: Generation, reported: readonly ReportedStage[]): readonly EnteredStage[] {
  return reported.filter(({ stage }, index) => stage !== (index === 0 ? sandbox.stage : reported[index - 1]?.stage));
}

function keepsWorkspace(desired: SandboxedSession, sandboxId: string): boolean {
  return !desired.deleted && desired.workspaceOf === sandboxId;
}

/** What is not made yet need not be. */
function isUnwanted(desired: SandboxedSession, mode: Mode): boolean {
  return mode === 'draining' || turnInNeed(desired) === null;
}

function endReason(desired: SandboxedSession, mode: Mode): Reason {
  if (mode === 'draining') return { code: STOP_CODES.platformStopped, message: 'The platform was stopped. Retry once it runs again.' };
  if (desired.closed) return { code: STOP_CODES.closed, message: 'The session was archived or deleted.' };
  return { code: STOP_CODES.notNeeded, message: 'The turn ended before its sandbox was made.' };
}

function exitReason(there: ObservedSandbox | null): Reason {
  if (!there) return { code: 'sandbox.lost', message: 'The sandbox is gone.' };
  if (there.phase === 'failed') return { code: 'sandbox.apply-failed', message: 'The sandbox could not be made. Its log tells more.' };
  const how = there.signal === null ? `exit code ${there.exitCode ?? 'unknown'}` : `signal ${there.signal}`;
  const isWorkspace = there.exitCode === RUNNER_EXIT.workspaceFailed;
  return isWorkspace
    ? { code: 'workspace.failed', message: 'The workspace could not be made ready. The log of the sandbox tells more.' }
    : { code: 'sandbox.lost', message: `The sandbox ended by itself (${how}).` };
}
