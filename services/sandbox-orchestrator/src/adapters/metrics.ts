import type { StoredEvent } from '@bullpen/contracts';
import { SLOW_SECONDS, counter, gauge, histogram, secondsSince } from '@bullpen/telemetry';

import { isSameAttempt, liveGeneration } from '../core/sandbox.state.js';
import type { RunningTurn, SandboxedSession } from '../core/sandbox.state.js';
import { SPAWN_PATHS, SPAWN_STAGES, TURN_PATHS, spawnPath, spawnTimes, turnPath } from '../core/spawn-times.js';

const spawnSeconds = histogram(
  {
    name: 'bullpen_spawn_seconds',
    help: 'From the request for a sandbox to a workspace that stands, by what it was made from.',
    labels: { path: SPAWN_PATHS },
  },
  SLOW_SECONDS,
);

const spawnStageSeconds = histogram(
  {
    name: 'bullpen_spawn_stage_seconds',
    help: 'How long a spawn was in each of its stages before it came to the next.',
    labels: { stage: SPAWN_STAGES, path: SPAWN_PATHS },
  },
  SLOW_SECONDS,
);

const spawns = counter({ name: 'bullpen_spawns_total', help: 'Sandboxes that were asked for.', labels: { path: SPAWN_PATHS } });

const spawnFailures = counter({
  name: 'bullpen_spawn_failures_total',
  help: 'Spawns that failed, by whether another follows.',
  labels: { next: ['retry', 'none'] },
});

const sandboxesLost = counter({
  name: 'bullpen_sandboxes_lost_total',
  help: 'Sandboxes that ended by themselves or fell silent, by whether a turn ended with them. What needs one is given another.',
  labels: { turn: ['ended', 'none'] },
});

const firstTokenSeconds = histogram(
  {
    name: 'bullpen_first_token_seconds',
    help: 'From the start of a turn to the first of its answer in the log; warm: the sandbox was there before.',
    labels: { sandbox: TURN_PATHS },
  },
  SLOW_SECONDS,
);

export const rejectedFrames = counter({
  name: 'bullpen_frames_rejected_total',
  help: 'Frames of runners that were not let into the log, by why.',
  labels: { code: { atMost: 32 } },
});

export const runnerLinks = gauge({ name: 'bullpen_runner_links', help: 'Runners that are connected and welcomed.' });
export const ownedShards = gauge({ name: 'bullpen_shard_leases', help: 'Shards that this replica owns; 16 over all replicas.' });

/** Of events that were just appended to the sandbox lane of the session as it is. */
export function measureSandboxEvents(session: SandboxedSession, events: readonly StoredEvent[]): void {
  const { stages, wholeSeconds } = spawnTimes(session, events);
  const path = session.sandbox ? spawnPath(session, session.sandbox) : 'cloned';
  for (const { stage, seconds } of stages) spawnStageSeconds.record(seconds, { stage, path });
  if (wholeSeconds !== null) spawnSeconds.record(wholeSeconds, { path });
  for (const { type, data } of events) {
    if (type === 'SandboxRequested') spawns.add({ path: spawnPath(session, { sandboxId: String(data['sandboxId']) }) });
    if (type === 'SandboxSpawnFailed') spawnFailures.add({ next: data['retryAt'] === '' ? 'none' : 'retry' });
    if (type === 'SandboxLost') sandboxesLost.add({ turn: data['turnId'] === '' ? 'none' : 'ended' });
  }
}

const ANSWER_TYPES: ReadonlySet<string> = new Set(['ReasoningAppended', 'AssistantTextAppended', 'ToolCallStarted']);

const NOTHING = (): void => undefined;

/** Of one link: to be given what is about to be appended; what it answers is called once it is. Measures the first of each turn's answer. */
export function firstTokenMeasure(sessionNow: () => SandboxedSession | undefined): (events: readonly StoredEvent[]) => () => void {
  let measured = '';
  return (events) => {
    const turnId = events.find(({ type }) => ANSWER_TYPES.has(type))?.turnId;
    const session = sessionNow();
    const turn = session?.turn;
    const sandbox = session && liveGeneration(session);
    if (turnId === undefined || !sandbox || turn?.turnId !== turnId || measured === keyOf(turn)) return NOTHING;
    measured = keyOf(turn);
    // The link before this one, or another replica, saw the beginning.
    if (isSameAttempt(session.agentTurn, turn) && session.agentTurn?.answered) return NOTHING;
    return () => firstTokenSeconds.record(secondsSince(turn.startedAt), { sandbox: turnPath(turn, sandbox) });
  };
}

function keyOf({ turnId, attempt }: RunningTurn): string {
  return `${turnId} ${attempt}`;
}
