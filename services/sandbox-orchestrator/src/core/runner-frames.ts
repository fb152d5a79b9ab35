import type { Actor, EventData, JsonRecord, Reason, RunnerEventType, RunnerFrame, StoredEvent } from '@bullpen/contracts';
import { MAX_EVENT_LIST_ITEMS, RUNNER_EVENT_TYPES, parseEventData, sessionBranch } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import { MAX_FRAME_BYTES, MAX_FRAME_DEPTH, MAX_FRAME_STRING_BYTES, MAX_REASON_CHARS } from './bounds.js';

/** Which runner a frame comes from, and what it may speak of. */
export interface FrameSource {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly generation: number;
  readonly isTurn: (turnId: string) => boolean;
  /** Trace context of a turn that runs. */
  readonly traceOf?: (turnId: string) => string | null;
}

export type CheckedFrame =
  /** `objects`: sha256 of everything it names; it may be appended once all of them are stored. */
  | { readonly verdict: 'valid'; readonly event: StoredEvent; readonly objects: readonly string[] }
  | { readonly verdict: 'rejected'; readonly reason: Reason };

/** What a sandbox says is untrusted: only known types, exact fields, bounded sizes, and its own session's turns and parts pass. */
export function checkFrame(frame: RunnerFrame, source: FrameSource, at: string): CheckedFrame {
  try {
    const type = runnerEventType(frame.type);
    requireBounds(frame.data);
    const data = parseEventData(type, frame.data);
    requireOwn(frame, type, data, source);
    const turn = frame.turnId === undefined ? {} : { turnId: frame.turnId };
    const traceparent = frame.turnId === undefined ? null : (source.traceOf?.(frame.turnId) ?? null);
    const trace = traceparent === null ? {} : { traceparent };
    const event: StoredEvent = { type, v: 1, at, actor: sandboxActor(source), ...turn, data: data as unknown as JsonRecord, ...trace };
    return { verdict: 'valid', event, objects: objectsNamedBy(type, data) };
  } catch (error) {
    if (!(error instanceof Rejection)) throw error;
    return { verdict: 'rejected', reason: { code: error.code, message: error.message.slice(0, MAX_REASON_CHARS) } };
  }
}

/**
 * Nobody cancelled a turn that ends because the platform told its sandbox to stop: it failed, for the reason of the stop. The runner
 * knows only that it was interrupted.
 */
export function endedByStop(event: StoredEvent, stop: Reason | null): StoredEvent {
  const wasInterrupted = event.type === 'AgentTurnFinished' && event.data['outcome'] === 'cancelled';
  return stop && wasInterrupted ? { ...event, data: { ...event.data, outcome: 'failed', reason: { ...stop } } } : event;
}

/** Takes the place of a frame that cannot be appended, so that the lane goes on. */
export function rejectedFrame(
  n: number,
  source: FrameSource,
  rejection: { readonly reason: Reason; readonly bytes: number; readonly sha256: string; readonly at: string },
): StoredEvent {
  const { reason, bytes, sha256, at } = rejection;
  const data: EventData['FrameRejected'] = { n, reason, bytes, sha256 };
  return { type: 'FrameRejected', v: 1, at, actor: sandboxActor(source), data: data as unknown as JsonRecord };
}

function sandboxActor({ sandboxId }: FrameSource): Actor {
  return { kind: 'sandbox', id: sandboxId, name: sandboxId };
}

function runnerEventType(type: string): RunnerEventType {
  const known = RUNNER_EVENT_TYPES.find((allowed) => allowed === type);
  if (!known) throw new Rejection('frame.type-not-allowed', `A runner may not send ${JSON.stringify(type)}.`);
  return known;
}

function requireBounds(data: unknown): void {
  // First: JSON nested deeper than the stack allows cannot be written again.
  requireSmallParts(data, 0);
  const bytes = utf8Bytes(JSON.stringify(data));
  if (bytes > MAX_FRAME_BYTES) {
    throw new Rejection('frame.too-large', `The frame holds ${bytes} bytes; at most ${MAX_FRAME_BYTES} are allowed. Upload an object.`);
  }
}

function requireSmallParts(value: unknown, depth: number): void {
  if (depth > MAX_FRAME_DEPTH) throw new Rejection('frame.too-deep', `The frame is nested deeper than ${MAX_FRAME_DEPTH}.`);
  if (typeof value === 'string' && value.length * 3 > MAX_FRAME_STRING_BYTES && utf8Bytes(value) > MAX_FRAME_STRING_BYTES) {
    throw new Rejection('frame.string-too-large', `A string is longer than ${MAX_FRAME_STRING_BYTES} bytes. Cut it and upload an object.`);
  }
  if (typeof value !== 'object' || value === null) return;
  const items: unknown[] = Array.isArray(value) ? value : Object.values(value);
  if (items.length > MAX_EVENT_LIST_ITEMS) {
    throw new Rejection('frame.list-too-long', `A list or object has ${items.length} items; at most ${MAX_EVENT_LIST_ITEMS} are allowed.`);
  }
  for (const item of items) requireSmallParts(item, depth + 1);
}

/** Ids inside must be of this session and generation. */
function requireOwn(frame: RunnerFrame, type: RunnerEventType, data: EventData[RunnerEventType], source: FrameSource): void {
  const turnIds = [frame.turnId, 'turnId' in data ? data.turnId : undefined].filter((turnId) => turnId !== undefined);
  const foreign = turnIds.find((turnId) => !source.isTurn(turnId));
  if (foreign !== undefined || new Set(turnIds).size > 1) {
    throw new Rejection('frame.turn-unknown', `${type} speaks of turn ${JSON.stringify(foreign ?? turnIds)}, which it may not.`);
  }
  if ('partId' in data && !data.partId.startsWith(`${source.generation}.`)) {
    throw new Rejection('frame.part-unknown', `The part ${JSON.stringify(data.partId)} is not of generation ${source.generation}.`);
  }
  if ('branch' in data && data.branch !== sessionBranch(source.sessionId)) {
    throw new Rejection('frame.branch-not-own', `The checkpoint is on ${JSON.stringify(data.branch)}, not on the session's branch.`);
  }
  if ('sha' in data && ![data.sha, data.parent, data.base].every((sha) => COMMIT.test(sha))) {
    throw new Rejection('frame.commit-invalid', 'The checkpoint names something that is not a commit id.');
  }
}

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const SHA256 = /^[0-9a-f]{64}$/;

function objectsNamedBy(type: RunnerEventType, data: EventData[RunnerEventType]): readonly string[] {
  const named = objectFields(type, data).filter((sha256) => sha256 !== '');
  const invalid = named.find((sha256) => !SHA256.test(sha256));
  if (invalid !== undefined) throw new Rejection('frame.object-invalid', `${JSON.stringify(invalid)} is not the sha256 of an object.`);
  return [...new Set(named)];
}

function objectFields(type: RunnerEventType, data: EventData[RunnerEventType]): readonly string[] {
  if ('bundle' in data) return [data.patch.sha256, data.turnPatch.sha256, data.bundle.sha256];
  if ('output' in data) return [data.output.sha256];
  return type === 'ToolCallStarted' && 'input' in data ? clippedObjects(data.input) : [];
}

/** A tool's argument that was cut stands as `{text, tail, sha256, bytes}`. */
function clippedObjects(input: JsonRecord): readonly string[] {
  return Object.values(input).flatMap((value) => {
    const isClipped = typeof value === 'object' && value !== null && !Array.isArray(value) && isClippedText(value);
    return isClipped ? [String(value['sha256'])] : [];
  });
}

function isClippedText(value: JsonRecord): boolean {
  const hasFields = CLIPPED_FIELDS.every((field) => field in value) && Object.keys(value).length === CLIPPED_FIELDS.length;
  return hasFields && SHA256.test(String(value['sha256']));
}

const CLIPPED_FIELDS = ['text', 'tail', 'sha256', 'bytes'];

/** Of a string as UTF-8; lone surrogates count as the three bytes they become. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
