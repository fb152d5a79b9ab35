import type { Author, ObjectRef, RunnerEvent } from '@bullpen/contracts';
import { sessionBranch } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import { createCheckpoint } from '@bullpen/scm';

import { shorten } from '../core/clipping.js';
import type { RunnerLink } from './link.js';

const MAX_SUBJECT_CHARS = 72;
const MAX_MESSAGE_CHARS = 4_000;
const TRIES = 2;

export interface CheckpointPlace {
  readonly sessionId: string;
  readonly workspace: string;
  readonly base: string;
  readonly parent: string;
}

export interface CheckpointWork {
  readonly turnId: string;
  readonly attempt: number;
  readonly author: Author;
  /** What the person asked for; it becomes the commit's message. */
  readonly prompt: string;
}

export interface CheckpointResult {
  readonly event: Extract<RunnerEvent, { type: 'CheckpointCreated' }>;
  readonly sha: string;
}

const NO_OBJECT: ObjectRef = { sha256: '', bytes: 0 };

/**
 * Commits what the turn left and stores patches and bundle, so that the event may be reported. Also a turn that changed nothing names
 * them: the last checkpoint alone is what a later sandbox is made from.
 *
 * @throws Rejection `checkpoint.holds-secret` when the changes contain the model key, and what `createCheckpoint` throws
 */
export async function makeCheckpoint(
  { sessionId, workspace, base, parent }: CheckpointPlace,
  work: CheckpointWork,
  { link, modelKey }: { link: Pick<RunnerLink, 'upload'>; modelKey: string | null },
): Promise<CheckpointResult> {
  const branch = sessionBranch(sessionId);
  const made = await retryFault(() =>
    createCheckpoint({ workspace, base, parent, branch, author: work.author, message: messageOf(work.prompt) }),
  );
  if (modelKey !== null && made.patch.includes(modelKey)) {
    throw new Rejection(
      'checkpoint.holds-secret',
      'The changes contain the model key, so they were not kept outside the sandbox. Ask the agent to remove it.',
    );
  }
  const patch = await store(link, made.patch);
  const turnPatch = await store(link, made.turnPatch);
  const bundle = await store(link, made.bundle);
  const { turnId, attempt } = work;
  const data = { turnId, attempt, sha: made.sha, parent, base, branch, stats: made.stats, patch, turnPatch, bundle };
  return { event: { type: 'CheckpointCreated', data }, sha: made.sha };
}

async function store(link: Pick<RunnerLink, 'upload'>, bytes: Buffer): Promise<ObjectRef> {
  return bytes.length === 0 ? NO_OBJECT : { sha256: await link.upload(bytes), bytes: bytes.length };
}

async function retryFault<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Fault) || attempt >= TRIES) throw error;
    }
  }
}

function messageOf(prompt: string): string {
  const text = shorten(prompt.trim(), MAX_MESSAGE_CHARS);
  const subject = shorten(text.split('\n', 1)[0] ?? '', MAX_SUBJECT_CHARS);
  return subject === text ? subject : `${subject}\n\n${text}`;
}
