import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { Fault, Rejection } from '@bullpen/errors';
import type { ErrorDescription, ErrorDetails } from '@bullpen/errors';

import type { Address } from './address.js';

/** Waits before each further try of a request that did not get through, or that got 503: in all, longer than a platform needs to restart. */
const RETRY_DELAYS_MS = [200, 600, 1_500, 3_000];
/** A try after which a person is told what is waited for; before, it may be a blip. */
const SAID_AFTER_TRIES = 2;
/** A longer Retry-After is cut to this. */
const MAX_RETRY_AFTER_MS = 5_000;
/** Creating a session probes its repository for up to 10 s. */
const REQUEST_TIMEOUT_MS = 30_000;

export const UNREACHABLE = 'platform.unreachable';

/** The platform answered, and will not, whatever happens. */
export class RefusedRequest extends Rejection {
  constructor(
    readonly status: number,
    { code, message, details }: ErrorDescription,
  ) {
    super(code, message, details);
  }
}

/** How long a request is tried. */
export interface Patience {
  readonly retryDelaysMs: readonly number[];
  readonly timeoutMs: number;
}

const OF_A_PERSON: Patience = { retryDelaysMs: RETRY_DELAYS_MS, timeoutMs: REQUEST_TIMEOUT_MS };

interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
}

/**
 * The public REST API. Every POST carries an Idempotency-Key and is repeated under the same one, so a lost answer does not
 * become a second command.
 */
export class ApiClient {
  /** `onWait`: told once for a request that takes more than a moment to get through. */
  constructor(
    readonly address: Address,
    private readonly onWait: (why: Fault) => void = () => undefined,
    private readonly patience: Patience = OF_A_PERSON,
  ) {}

  /** @throws RefusedRequest with the platform's own code; Fault `platform.unreachable`, or the platform's own when it answers 503 */
  async get<Answer>(path: string): Promise<Answer> {
    return (await (await this.#send({ method: 'GET', path })).json()) as Answer;
  }

  async getBytes(path: string): Promise<Uint8Array> {
    return new Uint8Array(await (await this.#send({ method: 'GET', path })).arrayBuffer());
  }

  async post<Answer>(path: string, body: unknown = {}): Promise<Answer> {
    return (await (await this.#send({ method: 'POST', path, body })).json()) as Answer;
  }

  /** The platform finds a repeated one already so. */
  async patch<Answer>(path: string, body: unknown): Promise<Answer> {
    return (await (await this.#send({ method: 'PATCH', path, body })).json()) as Answer;
  }

  async delete(path: string): Promise<void> {
    await this.#send({ method: 'DELETE', path });
  }

  async #send(request: Request): Promise<Response> {
    const headers = {
      authorization: `Bearer ${this.address.token}`,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(request.method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
    };
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#try(request, headers);
      if (answer instanceof Response) return answer;
      const delayMs = this.patience.retryDelaysMs[attempt];
      if (delayMs === undefined) throw answer;
      if (attempt + 1 === SAID_AFTER_TRIES) this.onWait(answer);
      await sleep(answer.code === UNREACHABLE ? delayMs : Math.min(Math.max(delayMs, answer.retryAfterMs), MAX_RETRY_AFTER_MS));
    }
  }

  /** Resolves to a Fault when trying again makes sense. */
  async #try({ method, path, body }: Request, headers: Record<string, string>): Promise<Response | Fault> {
    const { url } = this.address;
    try {
      const signal = AbortSignal.timeout(this.patience.timeoutMs);
      const answer = await fetch(`${url}/api/v1${path}`, { method, headers, signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      if (answer.ok) return answer;
      return await faultOf(answer, url);
    } catch (error) {
      if (error instanceof Rejection) throw error;
      return this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): Fault {
    const { url, foundIn } = this.address;
    const details = { next: 'start the platform with make up, or say where it is with --url or BULLPEN_URL' };
    return new Fault(UNREACHABLE, `Cannot reach the platform at ${url} (from ${foundIn}): ${causeOf(error)}.`, { details, cause: error });
  }
}

/** @throws RefusedRequest when the platform will not, whatever happens */
async function faultOf(answer: Response, url: string): Promise<Fault> {
  const problem = await problemOf(answer);
  const code = problem.code ?? `http.${answer.status}`;
  const message = problem.detail ?? `${url} answered ${answer.status} ${answer.statusText}, which is no answer of Bullpen.`;
  if (answer.status !== 503) throw new RefusedRequest(answer.status, { code, message, details: problem.details ?? {} });
  const retryAfterMs = Number(answer.headers.get('retry-after') ?? 1) * 1_000;
  return new Fault(code, message, { details: problem.details ?? {}, ...(Number.isFinite(retryAfterMs) ? { retryAfterMs } : {}) });
}

interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly details?: ErrorDetails;
}

async function problemOf(answer: Response): Promise<Problem> {
  try {
    const body: unknown = await answer.json();
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED') return 'nothing listens there';
  return cause instanceof Error ? cause.message : String(cause);
}
