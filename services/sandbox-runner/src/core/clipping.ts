import type { ClippedText, JsonRecord, JsonValue } from '@bullpen/contracts';
import { MAX_EVENT_LIST_ITEMS, MAX_EVENT_STRING_BYTES } from '@bullpen/contracts';

const HEAD_BYTES = 8 * 1024;
const TAIL_BYTES = 4 * 1024;
/** Of output that is still growing: enough to follow it, and never an object of its own. */
const PROGRESS_HEAD_BYTES = 1024;
const PROGRESS_TAIL_BYTES = 3 * 1024;
/** Of a tool's arguments as JSON, long strings already cut. */
const MAX_INPUT_BYTES = 64 * 1024;
const MAX_INPUT_DEPTH = 24;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Keeps a text as an object and answers with its sha256. */
export type KeepObject = (text: string) => string;

export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/** Half a surrogate pair has no UTF-8: it becomes U+FFFD, of the same length. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

export function highSurrogateAtEnd(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}

/** A text of more than 16 KB is cut to its head, its tail and an object with the whole. */
export function clipText(text: string, keep: KeepObject): ClippedText {
  const whole = wellFormed(text);
  const bytes = encoder.encode(whole);
  if (bytes.length <= MAX_EVENT_STRING_BYTES) return { text: whole, tail: '', sha256: '', bytes: bytes.length };
  return { ...headAndTail(bytes, HEAD_BYTES, TAIL_BYTES), sha256: keep(whole), bytes: bytes.length };
}

/** Output so far: cut harder, without an object, because the whole follows. */
export function clipProgress(text: string): ClippedText {
  const whole = wellFormed(text);
  const bytes = encoder.encode(whole);
  if (bytes.length <= PROGRESS_HEAD_BYTES + PROGRESS_TAIL_BYTES)
    return { text: whole, tail: '', sha256: '', bytes: bytes.length };
  return { ...headAndTail(bytes, PROGRESS_HEAD_BYTES, PROGRESS_TAIL_BYTES), sha256: '', bytes: bytes.length };
}

/** The head alone, of what needs no whole. */
export function shorten(text: string, maxChars: number): string {
  const whole = wellFormed(text);
  if (whole.length <= maxChars) return whole;
  const head = whole.slice(0, maxChars - 1);
  return `${highSurrogateAtEnd(head) ? head.slice(0, -1) : head}…`;
}

/** The last characters, never beginning inside a pair. */
export function lastChars(text: string, maxChars: number): string {
  return wellFormed(text.slice(-maxChars)).replace(/^\ufffd/, '');
}

/** A tool's arguments: each long string becomes what `clipText` makes of it; arguments that are still too large, `{clipped}`. */
export function clipInput(input: JsonRecord, keep: KeepObject): JsonRecord {
  const clipped = clipValue(input, keep, 0) as JsonRecord;
  const json = JSON.stringify(clipped);
  if (utf8Bytes(json) <= MAX_INPUT_BYTES) return clipped;
  return { clipped: { ...clipText(JSON.stringify(input), keep) } };
}

function clipValue(value: JsonValue, keep: KeepObject, depth: number): JsonValue {
  if (typeof value === 'string') {
    if (utf8Bytes(value) <= MAX_EVENT_STRING_BYTES) return wellFormed(value);
    return { ...clipText(value, keep) };
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_INPUT_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_EVENT_LIST_ITEMS).map((item) => clipValue(item, keep, depth + 1));
  const entries = Object.entries(value).slice(0, MAX_EVENT_LIST_ITEMS);
  return Object.fromEntries(entries.map(([key, item]) => [wellFormed(key), clipValue(item, keep, depth + 1)]));
}

function headAndTail(bytes: Uint8Array, headBytes: number, tailBytes: number): { text: string; tail: string } {
  let headEnd = headBytes;
  while (isContinuation(bytes[headEnd])) headEnd -= 1;
  let tailStart = bytes.length - tailBytes;
  while (isContinuation(bytes[tailStart])) tailStart += 1;
  return { text: decoder.decode(bytes.subarray(0, headEnd)), tail: decoder.decode(bytes.subarray(tailStart)) };
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
