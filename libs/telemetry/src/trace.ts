import { AsyncLocalStorage } from 'node:async_hooks';
import { randomBytes } from 'node:crypto';

/** What a request carries from the edge to wherever it is worked on. */
export interface Trace {
  /** Of `X-Request-Id`. */
  readonly requestId: string;
  /** W3C trace context: `00-<trace>-<parent>-<flags>`. */
  readonly traceparent: string;
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const current = new AsyncLocalStorage<Trace>();

/** Runs the work, and all that it starts, within the trace. */
export function withTrace<Result>(trace: Trace, work: () => Result): Result {
  return current.run(trace, work);
}

/** Undefined outside of a request. */
export function currentTrace(): Trace | undefined {
  return current.getStore();
}

/** The one given, when it is one; else the beginning of a new trace. */
export function traceparentOf(given: string | undefined): string {
  if (given !== undefined && TRACEPARENT.test(given)) return given;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
