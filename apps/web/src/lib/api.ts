import { forgetKey, readKey } from './key.js';

/** A request that takes longer is given up: the platform answers its own within 10 s. */
const REQUEST_TIMEOUT_MS = 20_000;

/** What the API said no with: RFC 9457 problem details; or `network.unreachable` when nothing answered. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Nobody can say whether it was done: the same request with the same key may be sent again. */
  get isUnclear(): boolean {
    return this.status === 0 || this.status >= 500;
  }
}

export interface RequestOptions {
  readonly body?: unknown;
  /** The same key and body give the same answer, however often it is sent. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Instead of the one that is kept. */
  readonly key?: string;
}

/** Called when the key is not, or no longer, valid. */
export type SignedOutListener = () => void;
const signedOutListeners = new Set<SignedOutListener>();

/** @returns what ends it */
export function onSignedOut(listener: SignedOutListener): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

export function signOut(): void {
  forgetKey();
  for (const listener of signedOutListeners) listener();
}

/**
 * One call of the public API; `path` is below `/api/v1`.
 *
 * @throws ApiError with the problem's code; `network.unreachable` when nothing answered
 */
export async function callApi<Answer>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, options: RequestOptions = {}): Promise<Answer> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as Answer;
  if (response.ok) return (await response.json()) as Answer;
  throw await problemOf(response);
}

/** An object or a patch, as text. */
export async function readText(path: string, signal?: AbortSignal): Promise<string> {
  const response = await send('GET', path, signal === undefined ? {} : { signal });
  if (response.ok) return response.text();
  throw await problemOf(response);
}

async function send(method: string, path: string, { body, idempotencyKey, signal, key = readKey() ?? '' }: RequestOptions): Promise<Response> {
  const headers = new Headers({ authorization: `Bearer ${key}` });
  if (body !== undefined) headers.set('content-type', 'application/json');
  if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey);
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  try {
    return await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      cache: 'no-store',
      credentials: 'omit',
    });
  } catch (cause) {
    if (signal?.aborted === true) throw cause;
    throw new ApiError(0, 'network.unreachable', 'Bullpen does not answer. Is it running? Nothing was lost; try again.', { cause: String(cause) });
  }
}

async function problemOf(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => null)) as { code?: string; detail?: string; details?: Record<string, unknown> } | null;
  const code = problem?.code ?? 'answer.unreadable';
  if (code === 'auth.invalid' || code === 'auth.missing') signOut();
  return new ApiError(response.status, code, problem?.detail ?? `The answer ${response.status} could not be read. Try again.`, problem?.details);
}
