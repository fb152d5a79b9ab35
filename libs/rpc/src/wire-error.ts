import { Metadata, status } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';

import { Bug, Fault, Rejection, describeError } from '@bullpen/errors';
import type { ErrorDescription } from '@bullpen/errors';

/** Metadata key under which an error crosses: base64url of JSON {code, message, details, retryAfterMs?}. */
export const ERROR_METADATA = 'bullpen-error';
export const UNAUTHENTICATED = 'rpc.unauthenticated';

/** gRPC keeps all metadata of a call under 8 KB by default; a larger description would turn the answer into a transport error. */
const MAX_DESCRIPTION_BYTES = 4 * 1024;
/** Rejections about what is there already, not about what was asked. */
const STATE_CODES: readonly string[] = ['idempotency.mismatch', 'generation.superseded'];

interface WireError extends ErrorDescription {
  readonly retryAfterMs?: number;
}

/** What a server answers: status by kind of error, the description in the metadata. A Bug, and anything unknown, keeps its text to itself. */
export function toStatus(error: unknown): StatusObject {
  const description = describeError(error);
  const wire: WireError = error instanceof Fault ? { ...description, retryAfterMs: error.retryAfterMs } : description;
  const metadata = new Metadata();
  metadata.set(ERROR_METADATA, encode(wire));
  return { code: statusCode(error), details: description.message.slice(0, 1_000), metadata };
}

/** What a client throws. `peer` names the service; `encoded` is the metadata's value, null when the call never reached its code. */
export function fromWire(encoded: string | null, peer: string, cause: unknown): Rejection | Fault | Bug {
  const wire = encoded === null ? null : decode(encoded);
  if (!wire) return unavailable(peer, cause);
  if (wire.retryAfterMs !== undefined) {
    return new Fault(wire.code, wire.message, { retryAfterMs: wire.retryAfterMs, details: wire.details, cause });
  }
  if (wire.code === 'internal') return withCause(new Bug(`The ${peer} service broke on this call. Look for this moment in its log.`), cause);
  return new Rejection(wire.code, wire.message, wire.details);
}

export function unavailable(peer: string, cause: unknown): Fault {
  return new Fault(`${peer}.unavailable`, `The ${peer} service cannot be reached, or did not answer in time. Try again shortly.`, { cause });
}

function statusCode(error: unknown): status {
  if (error instanceof Fault) return status.UNAVAILABLE;
  if (!(error instanceof Rejection)) return status.INTERNAL;
  if (error.code === UNAUTHENTICATED) return status.UNAUTHENTICATED;
  if (error.code.endsWith('.not-found')) return status.NOT_FOUND;
  return STATE_CODES.includes(error.code) ? status.FAILED_PRECONDITION : status.INVALID_ARGUMENT;
}

function encode(wire: WireError): string {
  const text = JSON.stringify(wire);
  const fits = Buffer.byteLength(text) <= MAX_DESCRIPTION_BYTES;
  const sent = fits ? text : JSON.stringify({ ...wire, message: wire.message.slice(0, 1_000), details: {} });
  return Buffer.from(sent).toString('base64url');
}

function decode(encoded: string): WireError | null {
  try {
    const wire = JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8')) as Partial<WireError> | null;
    if (typeof wire?.code !== 'string' || typeof wire.message !== 'string') return null;
    const retry = typeof wire.retryAfterMs === 'number' ? { retryAfterMs: wire.retryAfterMs } : {};
    return { code: wire.code, message: wire.message, details: wire.details ?? {}, ...retry };
  } catch {
    return null;
  }
}

function withCause(bug: Bug, cause: unknown): Bug {
  bug.cause = cause;
  return bug;
}
