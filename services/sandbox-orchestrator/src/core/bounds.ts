import { HEARTBEAT_STALE_MS, MAX_EVENT_STRING_BYTES } from '@bullpen/contracts';

import type { Rate } from './allowance.js';

/** Sandboxes in a row that may end before an agent has the turn's prompt; then the stage `failed`. */
export const MAX_SPAWN_ATTEMPTS = 3;
const FIRST_SPAWN_BACKOFF_MS = 1_000;
const MAX_SPAWN_BACKOFF_MS = 15_000;

/** How long to wait before the spawn after `attempts` that came to nothing. */
export function spawnBackoffMs(attempts: number): number {
  return attempts === 0 ? 0 : Math.min(MAX_SPAWN_BACKOFF_MS, FIRST_SPAWN_BACKOFF_MS * 3 ** (attempts - 1));
}

/** Spawn failures that another attempt cannot heal. */
export const PERMANENT_SPAWN_FAILURES: ReadonlySet<string> = new Set([
  'repository.branch-missing',
  'repository.not-found',
  'repository.not-git',
  'repository.not-readable',
  'repository.empty',
  'repository.host-not-allowed',
  'repository.source-invalid',
  'model.not-configured',
  'object.not-found',
]);

/** How long a sandbox without work is kept warm. */
export const IDLE_STOP_MS = 15 * 60_000;
/** Silence, also before the first word, for this long makes a sandbox stale. */
export const STALE_MS = HEARTBEAT_STALE_MS;
/** From `stop` to the exit that it asks for; then the sandbox is removed as it is. */
export const STOP_GRACE_MS = 30_000;
/** The same while the platform shuts down. */
export const DRAIN_STOP_GRACE_MS = 6_000;
/** From `cancel` to the end of the turn; a runner that does not manage is replaced. A checkpoint may take long, silence does not. */
export const CANCEL_PATIENCE_MS = 120_000;

/** A sandbox's token outlives any turn; it is revoked with its generation. */
export const TOKEN_LIFETIME_MS = 7 * 24 * 60 * 60_000;

/** Stages a runner has reported that are not in the log yet; the oldest is dropped. */
export const MAX_PENDING_STAGES = 16;
export const MAX_REASON_CHARS = 2_000;
export const MAX_LOG_TAIL_CHARS = 4_000;

/** One frame's data as JSON. Leaves room for several in one append. */
export const MAX_FRAME_BYTES = 128 * 1024;
/** Strings inside a frame; a runner cuts longer ones and uploads them as an object. */
export const MAX_FRAME_STRING_BYTES = MAX_EVENT_STRING_BYTES;
/** Depth of JSON inside a frame. */
export const MAX_FRAME_DEPTH = 32;

/** A transcript for a new agent process: newest turns kept. */
export const MAX_TRANSCRIPT_CHARS = 64 * 1024;

/** What one link may bring to the log: far above what an agent says, far below what would keep the disk from everybody else. */
export const FRAME_RATE: Rate = { perSecond: 2_000, burst: 30_000 };
export const FRAME_BYTES_RATE: Rate = { perSecond: 2 * 1024 * 1024, burst: 32 * 1024 * 1024 };
/** A heartbeat counts as so many frames: one that names another stage is an append of its own. */
export const HEARTBEAT_FRAMES = 50;
