import { createHash } from 'node:crypto';

import type { WebSocket } from 'ws';
import { z } from 'zod';

import { frameSchema, runnerMessageSchema } from '@bullpen/contracts';
import type { OrchestratorMessage, Reason, RunnerFrame, RunnerMessage, StoredEvent } from '@bullpen/contracts';
import { Fault, Rejection, isRejectionOf } from '@bullpen/errors';
import type { FrameLane, ObjectStore } from '@bullpen/event-log';
import type { Logger } from '@bullpen/telemetry';

import { Allowance } from '../../core/allowance.js';
import { FRAME_BYTES_RATE, FRAME_RATE, HEARTBEAT_FRAMES } from '../../core/bounds.js';
import { checkFrame, endedByStop, rejectedFrame } from '../../core/runner-frames.js';
import type { CheckedFrame, FrameSource } from '../../core/runner-frames.js';
import { rejectedFrames } from '../metrics.js';
import { ObjectUpload } from './object-upload.js';
import type { UploadBudget } from './object-upload.js';
import type { RunnerViews } from './runner-views.js';

/** Received and not yet in the log; above it the socket is not read. */
const MAX_UNAPPENDED_BYTES = 4 * 1024 * 1024;
/** Objects one link may bring. */
const MAX_OBJECT_BYTES_PER_LINK = 4 * 1024 * 1024 * 1024;

/** Close codes of RFC 6455. */
export const CLOSE = { refused: 1008, tryLater: 1013, normal: 1000 } as const;

export interface LinkParts {
  readonly socket: WebSocket;
  readonly source: FrameSource;
  readonly lane: FrameLane;
  readonly objects: ObjectStore;
  readonly budget: UploadBudget;
  readonly views: RunnerViews;
  readonly logger: Logger;
  /** Why the platform told the runner to stop in the middle of a turn that nobody cancelled; null when it did not. */
  readonly stopReason: () => Reason | null;
  /** Looks at what is about to be appended; called once it is. */
  readonly measure: (events: readonly StoredEvent[]) => () => void;
  /** Something a plan looks at has changed. */
  readonly onChange: () => void;
  /** The lane failed: who connects next opens it anew. */
  readonly onLaneFailure: () => void;
}

/** One welcomed runner. Messages are worked on one after the other; appends run beside, so that they can be batched. */
export class RunnerLink {
  readonly #appends = new Set<Promise<void>>();
  #work: Promise<void> = Promise.resolve();
  #upload: ObjectUpload | null = null;
  #objectBytes = 0;
  #unappendedBytes = 0;
  readonly #frames = new Allowance(FRAME_RATE, Date.now());
  readonly #frameBytes = new Allowance(FRAME_BYTES_RATE, Date.now());
  #waiting: NodeJS.Timeout | null = null;
  #over = false;

  constructor(private readonly parts: LinkParts) {}

  /** Takes a message as it came. Never throws. */
  receive(data: Buffer, isBinary: boolean): void {
    if (this.#over) return;
    this.#count(data.byteLength);
    this.#work = this.#work
      .then(() => this.#handle(data, isBinary))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#count(-data.byteLength));
  }

  send(message: OrchestratorMessage): void {
    if (this.parts.socket.readyState === this.parts.socket.OPEN) this.parts.socket.send(JSON.stringify(message));
  }

  /** Not wanted: the runner ends itself. */
  refuse(reason: Reason): void {
    this.send({ kind: 'refused', reason });
    this.close(CLOSE.refused, reason.code);
  }

  close(code: number, why: string): void {
    this.#over = true;
    this.#upload?.end();
    this.#endWait();
    this.parts.socket.close(code, why);
  }

  /** Resolves once everything received was worked on and every append has been answered. */
  async settled(): Promise<void> {
    await this.#work;
    await Promise.all(this.#appends);
  }

  async #handle(data: Buffer, isBinary: boolean): Promise<void> {
    if (this.#over) return;
    this.parts.views.heard(this.parts.source.sandboxId);
    if (isBinary) return this.#takeChunk(data);
    const json = parseJson(data);
    const message = parseMessage(json);
    switch (message.kind) {
      case 'hello':
      case 'proof':
        throw new Rejection('link.message-invalid', 'The link was greeted already.');
      case 'frames':
        this.#limitRate(message.frames.length, data.byteLength);
        return this.#takeFrames(message.frames, data.byteLength);
      case 'object':
        return this.#beginObject(message.sha256, message.bytes);
      case 'heartbeat':
        this.#limitRate(HEARTBEAT_FRAMES, data.byteLength);
        this.parts.views.heartbeat(this.parts.source.sandboxId, message);
        return this.parts.onChange();
      case 'failed':
        this.parts.views.failed(this.parts.source.sandboxId, message.reason);
        return this.parts.onChange();
    }
  }

  async #takeFrames(frames: readonly LooseFrame[], bytes: number): Promise<void> {
    const at = new Date().toISOString();
    const events: { n: number; event: StoredEvent }[] = [];
    for (const frame of frames) events.push({ n: frame.n, event: await this.#eventOf(frame, at) });
    this.#count(bytes);
    const append = this.#append(events).finally(() => {
      this.#count(-bytes);
      this.#appends.delete(append);
    });
    this.#appends.add(append);
  }

  async #append(events: readonly { n: number; event: StoredEvent }[]): Promise<void> {
    const measured = this.parts.measure(events.map(({ event }) => event));
    try {
      const through = await this.parts.lane.submit(events);
      this.send({ kind: 'acknowledged', through });
      measured();
    } catch (error) {
      this.parts.onLaneFailure();
      const isOver = isRejectionOf(error, 'generation.superseded') || isRejectionOf(error, 'lane.closed');
      this.#fail(isOver ? error : laneFailed(error));
    }
  }

  async #eventOf(loose: LooseFrame, at: string): Promise<StoredEvent> {
    const { source, objects, logger } = this.parts;
    const checked = loose.frame ? checkFrame(loose.frame, source, at) : MALFORMED;
    const missing = checked.verdict === 'valid' ? await firstMissing(checked.objects, objects) : null;
    if (checked.verdict === 'valid' && missing === null) return endedByStop(checked.event, this.parts.stopReason());
    const reason = checked.verdict === 'valid' ? objectMissing(missing) : checked.reason;
    const body = bodyOf(loose.raw);
    const sha256 = createHash('sha256').update(body).digest('hex');
    rejectedFrames.add({ code: reason.code });
    logger.warn('frame rejected', { sandboxId: source.sandboxId, frame: loose.n, code: reason.code });
    return rejectedFrame(loose.n, source, { reason, bytes: Buffer.byteLength(body), sha256, at });
  }

  async #beginObject(sha256: string, bytes: number): Promise<void> {
    if (this.#upload) throw new Rejection('link.message-invalid', 'An object was announced before the one before it was complete.');
    this.#objectBytes += bytes;
    if (this.#objectBytes > MAX_OBJECT_BYTES_PER_LINK) throw new Rejection('object.quota', 'Too many bytes of objects over one link.');
    this.#upload = new ObjectUpload(sha256, bytes, this.parts.budget);
    await this.#storeWhenComplete(this.#upload);
  }

  async #takeChunk(chunk: Buffer): Promise<void> {
    if (!this.#upload) throw new Rejection('link.message-invalid', 'Bytes came without an object.');
    this.#upload.add(chunk);
    await this.#storeWhenComplete(this.#upload);
  }

  async #storeWhenComplete(upload: ObjectUpload): Promise<void> {
    if (!upload.complete) return;
    this.#upload = null;
    try {
      await upload.store(this.parts.objects);
    } finally {
      upload.end();
    }
    this.send({ kind: 'objectStored', sha256: upload.sha256 });
  }

  /** Backpressure: the runner's own spool holds what this process does not read. */
  #count(bytes: number): void {
    this.#unappendedBytes += bytes;
    this.#readOrNot();
  }

  /** Nothing is dropped: who sends too fast is read later. */
  #limitRate(frames: number, bytes: number): void {
    const now = Date.now();
    const waitMs = Math.max(this.#frames.take(frames, now), this.#frameBytes.take(bytes, now));
    if (waitMs === 0 || this.#over) return;
    if (this.#waiting) clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#endWait(), waitMs);
    this.#readOrNot();
  }

  #endWait(): void {
    if (this.#waiting) clearTimeout(this.#waiting);
    this.#waiting = null;
    this.#readOrNot();
  }

  #readOrNot(): void {
    const { socket } = this.parts;
    if (this.#waiting || this.#unappendedBytes > MAX_UNAPPENDED_BYTES) socket.pause();
    else if (socket.isPaused) socket.resume();
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    const { logger, source } = this.parts;
    if (error instanceof Rejection) {
      logger.warn('runner refused', { sandboxId: source.sandboxId, error });
      return this.refuse({ code: error.code, message: error.message });
    }
    // The runner connects again and learns from the welcome where to go on.
    if (error instanceof Fault) logger.warn('runner link closed', { sandboxId: source.sandboxId, error });
    else logger.error('runner link broke', { sandboxId: source.sandboxId, error });
    this.close(CLOSE.tryLater, 'try again');
  }
}

const MALFORMED: CheckedFrame = { verdict: 'rejected', reason: { code: 'frame.malformed', message: 'The frame does not have the shape of one.' } };

/** A frame whose number is right keeps its place in the lane, whatever else it is. */
interface LooseFrame {
  readonly n: number;
  readonly raw: unknown;
  readonly frame: RunnerFrame | null;
}

type LinkMessage = Exclude<RunnerMessage, { kind: 'frames' }> | { readonly kind: 'frames'; readonly frames: readonly LooseFrame[] };

const looseFramesSchema = z.strictObject({
  kind: z.literal('frames'),
  frames: z.array(z.looseObject({ n: z.number().int().positive().max(2 ** 31 - 1) })).min(1).max(256),
});

/** @throws Rejection `link.message-invalid` */
export function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    throw new Rejection('link.message-invalid', 'The message is not JSON.');
  }
}

function parseMessage(json: unknown): LinkMessage {
  const loose = looseFramesSchema.safeParse(json);
  if (loose.success) return { kind: 'frames', frames: loose.data.frames.map(looseFrame) };
  const message = runnerMessageSchema.safeParse(json);
  if (message.success && message.data.kind !== 'frames') return message.data;
  throw new Rejection('link.message-invalid', 'The message is not one that a runner sends.');
}

/** As JSON; empty when it is nested too deeply for that, which must not keep the lane from going on. */
function bodyOf(raw: unknown): string {
  try {
    return JSON.stringify(raw);
  } catch {
    return '';
  }
}

function looseFrame(raw: { readonly n: number }): LooseFrame {
  const { success, data } = frameSchema.safeParse(raw);
  return { n: raw.n, raw, frame: success ? data : null };
}

async function firstMissing(sha256s: readonly string[], objects: ObjectStore): Promise<string | null> {
  for (const sha256 of sha256s) if (!(await objects.has(sha256))) return sha256;
  return null;
}

function objectMissing(sha256: string | null): Reason {
  return { code: 'frame.object-missing', message: `The frame names the object ${sha256 ?? ''}, which was not uploaded before it.` };
}

/** Also a gap, or too much at once, is settled by the next welcome: it says where to go on. */
function laneFailed(cause: unknown): unknown {
  return cause instanceof Rejection ? new Fault('link.frames-not-taken', cause.message, { cause }) : cause;
}
