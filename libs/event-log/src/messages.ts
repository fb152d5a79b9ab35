import type { StoredEvent } from '@bullpen/contracts';
import { MAX_APPEND_BYTES, MAX_EVENTS_PER_APPEND } from '@bullpen/contracts';
import { Bug, Rejection } from '@bullpen/errors';

import type { AppendRequest, FrameRange, Lane, LogMessage } from './event-log.js';
import { laneOfSubject, laneSubject } from './subjects.js';

export const FRAMES_HEADER = 'Bullpen-Frames';
export const MESSAGE_ID_HEADER = 'Nats-Msg-Id';

/** A message as the stream stores it. */
export interface RawMessage {
  readonly subject: string;
  readonly seq: number;
  readonly data: Uint8Array;
  header(name: string): string | undefined;
}

/** Exactly the bytes that are sent, however often. */
export interface EncodedAppend {
  readonly lane: Lane;
  readonly subject: string;
  readonly messageId: string;
  readonly payload: Uint8Array;
  readonly frames: string | undefined;
  readonly expected: number;
  readonly count: number;
}

/** @throws Rejection `append.invalid`, `append.too-large`, `session.not-found`, `repository.not-found` */
export function encodeAppend({ lane, events, expected, key, frames }: AppendRequest): EncodedAppend {
  const subject = laneSubject(lane);
  const details = { lane: lane.name, events: events.length };
  if (events.length === 0 || events.length > MAX_EVENTS_PER_APPEND) {
    throw new Rejection('append.invalid', `An append has 1 to ${MAX_EVENTS_PER_APPEND} events, not ${events.length}.`, details);
  }
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) {
    throw new Rejection('append.invalid', 'The key of an append has 1 to 200 printable characters without spaces.', details);
  }
  const payload = new TextEncoder().encode(JSON.stringify(events));
  if (payload.byteLength > MAX_APPEND_BYTES) {
    const message = `The append has ${payload.byteLength} bytes; ${MAX_APPEND_BYTES} are allowed. Send fewer events at once.`;
    throw new Rejection('append.too-large', message, { ...details, bytes: payload.byteLength });
  }
  const range = frames === undefined ? undefined : encodeFrames(frames);
  return { lane, subject, messageId: `${subject}/${key}`, payload, frames: range, expected, count: events.length };
}

/** @throws Bug for what no owner of a lane can have appended */
export function decodeMessage(raw: RawMessage): LogMessage {
  const lane = laneOfSubject(raw.subject);
  if (lane === null) throw new Bug(`message ${raw.seq} lies on ${raw.subject}, which is no lane`);
  return { lane, sequence: raw.seq, events: decodeEvents(raw), frames: decodeFrames(raw.header(FRAMES_HEADER)) };
}

function encodeFrames({ sandboxId, generation, first, last }: FrameRange): string {
  return `${sandboxId}:${generation}:${first}-${last}`;
}

function decodeFrames(header: string | undefined): FrameRange | null {
  const match = /^([^:]+):(\d+):(\d+)-(\d+)$/.exec(header ?? '');
  const [, sandboxId, generation, first, last] = match ?? [];
  if (sandboxId === undefined) return null;
  return { sandboxId, generation: Number(generation), first: Number(first), last: Number(last) };
}

function decodeEvents(raw: RawMessage): StoredEvent[] {
  const value = parseJson(raw.data);
  const usable = Array.isArray(value) && value.length > 0 && value.length <= MAX_EVENTS_PER_APPEND && value.every(isStoredEvent);
  if (!usable) throw new Bug(`message ${raw.seq} on ${raw.subject} is not an array of events`);
  return value;
}

/** Tolerant: only what stamping and switching need; everything else is carried untouched. */
function isStoredEvent(value: unknown): value is StoredEvent {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'data' in value;
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
