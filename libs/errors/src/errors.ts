/** JSON values that say which thing an error is about. Never a secret. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** What crosses a process boundary: an adapter maps it to gRPC, HTTP or Socket.IO, and back. */
export interface ErrorDescription {
  /** Stable, dotted, lower-case. Public contract. */
  readonly code: string;
  /** What, which, and what next, for a person. */
  readonly message: string;
  readonly details: ErrorDetails;
}

/** The domain says no. Never retried; a 4xx at the edge. */
export class Rejection extends Error {
  override readonly name = 'Rejection';
  constructor(
    readonly code: string,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
  }
}

export interface FaultOptions {
  /** When trying again makes sense, in milliseconds. */
  readonly retryAfterMs?: number;
  readonly details?: ErrorDetails;
  readonly cause?: unknown;
}

/** Something outside failed: a server, a disk, a time limit. The caller's loop retries, within its bound; a 503 at the edge. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly retryAfterMs: number;
  readonly details: ErrorDetails;
  constructor(
    readonly code: string,
    message: string,
    { retryAfterMs = 1_000, details = {}, cause }: FaultOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryAfterMs = retryAfterMs;
    this.details = details;
  }
}

/** A broken invariant. Stops the work at hand and is logged as an error; a 500 at the edge. */
export class Bug extends Error {
  override readonly name = 'Bug';
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Bug(message);
}

/** For the end of a switch over a union: the compiler names the case that is missing. */
export function assertNever(value: never): never {
  throw new Bug(`unexpected case: ${JSON.stringify(value)}`);
}

export function isRejectionOf(error: unknown, code: string): error is Rejection {
  return error instanceof Rejection && error.code === code;
}

/** For logs and boundaries. A Bug, and anything unknown, keeps its text to itself: it may hold internals. */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof Rejection || error instanceof Fault) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return {
    code: 'internal',
    message: 'Something broke on our side. Look for this moment in the platform log.',
    details: {},
  };
}
