import { STATUS_CODES } from 'node:http';

import { HttpException } from '@nestjs/common';

import { MAX_PROMPT_BYTES } from '@bullpen/contracts';
import { Fault, Rejection, describeError } from '@bullpen/errors';
import type { ErrorDetails } from '@bullpen/errors';

/** RFC 9457 problem details. `code` is stable and public; `detail` is for a person. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly details: ErrorDetails;
}

export interface ProblemAnswer {
  readonly problem: Problem;
  readonly headers: Readonly<Record<string, string>>;
}

/** A prompt of control characters grows sixfold as JSON; the session service measures the prompt itself. */
export const MAX_BODY_BYTES = 6 * MAX_PROMPT_BYTES + 64 * 1024;

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  'auth.missing': 401,
  'auth.invalid': 401,
  'sign-in.code-invalid': 401,
  'sign-in.switched-off': 404,
  'origin.foreign': 403,
  'session.not-found': 404,
  'prompt.not-found': 404,
  'repository.unknown': 404,
  'turn.not-found': 404,
  'object.not-found': 404,
  'route.not-found': 404,
  'method.not-allowed': 405,
  'session.archived': 409,
  'prompt.not-waiting': 409,
  'repository.is-sample': 409,
  'prompt.too-large': 413,
  'request.timeout': 408,
  'request.too-large': 413,
  'request.media-type': 415,
  'host.unknown': 421,
  'idempotency.mismatch': 422,
  'repository.not-found': 422,
  'repository.not-git': 422,
  'repository.not-readable': 422,
  'repository.branch-missing': 422,
  'repository.empty': 422,
  'request.headers-too-large': 431,
};

/** What an error says to the outside. Bugs, and anything unknown, keep their text to themselves. */
export function problemOf(error: unknown): ProblemAnswer {
  if (error instanceof Fault) {
    const headers = { 'Retry-After': String(Math.max(1, Math.ceil(error.retryAfterMs / 1_000))) };
    return { problem: problem(503, error), headers };
  }
  const rejection = error instanceof Rejection ? error : rejectionOf(error);
  if (rejection === null) return { problem: problem(500, describeError(error)), headers: {} };
  const status = STATUS_OF_CODE[rejection.code] ?? 400;
  return { problem: problem(status, rejection), headers: status === 401 ? { 'WWW-Authenticate': 'Bearer realm="bullpen"' } : {} };
}

function problem(
  status: number,
  error: { readonly code: string; readonly message: string; readonly details: ErrorDetails },
): Problem {
  const { code, message, details } = error;
  return { type: `urn:bullpen:problem:${code}`, title: STATUS_CODES[status] ?? 'Error', status, detail: message, code, details };
}

/** Of what the framework and the body parser throw; null for what is our own fault. */
function rejectionOf(error: unknown): Rejection | null {
  const status = statusOf(error);
  if (status === 404) return new Rejection('route.not-found', 'Nothing answers here. The routes are listed at /api/docs.');
  if (status === 413) {
    const message = `The request body is larger than ${MAX_BODY_BYTES} bytes, and a prompt may have ${MAX_PROMPT_BYTES}. Put what is long into a file of the repository.`;
    return new Rejection('request.too-large', message, { limit: MAX_BODY_BYTES, promptLimit: MAX_PROMPT_BYTES });
  }
  if (status === 415) return mediaTypeRefused();
  if (status < 400 || status >= 500) return null;
  return new Rejection('request.malformed', 'The request cannot be read: its path must be percent-encoded UTF-8, its body one JSON object.');
}

export function mediaTypeRefused(): Rejection {
  return new Rejection('request.media-type', 'The body must be application/json in UTF-8, not compressed.');
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : 500;
  return typeof status === 'number' ? status : 500;
}
