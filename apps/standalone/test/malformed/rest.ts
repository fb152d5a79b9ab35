import { Agent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';

import { faultOfDescription } from './hostile.js';
import type { Hostile } from './hostile.js';
import type { TestPlatform } from '../platform.harness.js';

interface RestInput {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Buffer | null;
}

const ANSWER_MS = 15_000;
const BODY_FIELDS: readonly string[] = ['repository', 'branch', 'title', 'prompt', 'agent', 'model', 'text', 'before', 'source', 'name'];
const QUERIES: readonly string[] = ['q', 'repository', 'status', 'cursor', 'limit', 'after', 'before', 'turn'];

/** Requests that are almost right, at every route. `sessionId` is one that may be changed, `archivedId` one that takes no prompt. */
export class MalformedRest {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });

  constructor(
    private readonly platform: TestPlatform,
    private readonly sessions: { readonly sessionId: string; readonly archivedId: string },
  ) {}

  close(): void {
    this.#agent.destroy();
  }

  make(hostile: Hostile): RestInput {
    const method = hostile.pick(['GET', 'GET', 'POST', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'HEAD', 'PROPFIND']);
    const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE' && hostile.chance(0.8);
    const body = hasBody ? this.#body(hostile) : null;
    return { method, path: this.#path(hostile, method), headers: this.#headers(hostile), body };
  }

  /** What is wrong with the answer; null for nothing. */
  async fault(input: RestInput): Promise<string | null> {
    const { status, headers, text } = await this.#send(input);
    if (status >= 500) return `${status} ${text}`;
    if (status < 400 || input.method === 'HEAD') return null;
    if (!String(headers['content-type']).startsWith('application/problem+json')) return `${status} without problem details: ${text}`;
    const problem = JSON.parse(text) as Record<string, unknown>;
    if (problem['status'] !== status || !headers['x-request-id']) return `the problem is not of this answer: ${status} ${text}`;
    return faultOfDescription(problem['code'], problem['detail']);
  }

  #path(hostile: Hostile, method: string): string {
    const { sessionId, archivedId } = this.sessions;
    const junk = () => (hostile.chance(0.1) ? '%E0%A4%A' : percent(hostile.text()));
    // A plain DELETE of a session, and a plain command to it, would be well formed.
    const id = method === 'DELETE' || method === 'POST' ? hostile.pick([junk(), '00'.padEnd(28, 'a')]) : hostile.pick([sessionId, archivedId, junk()]);
    const path = hostile.pick([
      '/api/v1/sessions',
      `/api/v1/sessions/${id}`,
      `/api/v1/sessions/${method === 'POST' ? archivedId : id}/prompts`,
      `/api/v1/sessions/${id}/prompts/${junk()}`,
      `/api/v1/sessions/${id}/${hostile.pick(['cancel', 'retry', 'archive', 'unarchive', 'events', 'files', 'diff', 'objects'])}`,
      `/api/v1/sessions/${id}/objects/${hostile.chance(0.5) ? 'a'.repeat(64) : junk()}`,
      '/api/v1/repositories',
      `/api/v1/repositories/${junk()}`,
      '/api/v1/agents',
      `/api/${junk()}`,
      `/${junk()}/..;/api/v1/sessions`,
    ]);
    return path.slice(0, 4_000) + this.#query(hostile);
  }

  #query(hostile: Hostile): string {
    if (hostile.chance(0.4)) return '';
    const pairs = Array.from({ length: hostile.below(3) + 1 }, () => {
      const name = hostile.pick(QUERIES) + hostile.pick(['', '', '', '[]', '[a]', '[__proto__]']);
      return `${name}=${percent(hostile.text()).slice(0, 2_000)}`;
    });
    return `?${pairs.join('&')}`;
  }

  #headers(hostile: Hostile): Record<string, string> {
    const latin = () => hostile.text().replaceAll(/[^\x20-\x7e\x80-\xff]/g, '').slice(0, 1_000);
    const token = hostile.chance(0.9) ? `Bearer ${this.platform.token}` : latin();
    const odd = hostile.pick(['x-request-id', 'idempotency-key', 'traceparent', 'origin', 'host', 'accept', 'content-encoding', 'expect', 'cookie']);
    const type = hostile.chance(0.9) ? 'application/json' : hostile.pick(['text/plain', 'application/json; charset=utf-16', 'multipart/form-data', latin()]);
    return { authorization: token, 'content-type': type, ...(hostile.chance(0.3) ? { [odd]: latin() } : {}) };
  }

  #body(hostile: Hostile): string | Buffer {
    if (hostile.chance(0.005)) return JSON.stringify({ text: 'x'.repeat(1_500_000) });
    return hostile.json(hostile.chance(0.5) ? BODY_FIELDS : [hostile.pick(BODY_FIELDS)]);
  }

  #send({ method, path, headers, body }: RestInput): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    return new Promise((resolve, reject) => {
      const { port } = this.platform;
      // Of some methods Node would not say how long the body is.
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent: this.#agent, timeout: ANSWER_MS };
      const request = httpRequest(options, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString() }));
        answer.on('error', reject);
      });
      request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_MS} ms`)));
      request.on('error', reject);
      request.end(body ?? undefined);
    });
  }
}

/** Bytes on the port of the public API, or of the runner link, that are no HTTP: what comes back is nothing, or a refusal. */
export class MalformedBytes {
  constructor(private readonly ports: readonly number[]) {}

  make(hostile: Hostile): { readonly port: number; readonly bytes: Buffer } {
    const line = hostile.pick(['GET / HTTP/1.1', 'GET /api/v1/sessions HTTP/9.9', 'POST /api/v1/sessions HTTP/1.1', 'PRI * HTTP/2.0', 'GET  /', '\0']);
    const header = hostile.pick([
      'Host: 127.0.0.1\r\nContent-Length: -1',
      'Content-Length: 5\r\nContent-Length: 6',
      'Transfer-Encoding: chunked\r\nContent-Length: 3',
      'Host: a\r\nHost: b',
      `X-Long: ${'x'.repeat(40_000)}`,
      'No colon at all',
      'Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade',
      'Host: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 99',
    ]);
    const text = Buffer.from(`${line}\r\n${header}\r\n\r\n`);
    const bytes = hostile.chance(0.3) ? hostile.bytes(500) : Buffer.concat([text, hostile.chance(0.5) ? hostile.bytes(100) : Buffer.alloc(0)]);
    return { port: hostile.pick(this.ports), bytes };
  }

  /** A connection may also be closed without a word. */
  fault({ port, bytes }: { readonly port: number; readonly bytes: Buffer }): Promise<string | null> {
    return new Promise((resolve) => {
      let answer = '';
      let found: string | null = null;
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
      const timer = setTimeout(() => {
        found = `still open after ${ANSWER_MS} ms`;
        socket.destroy();
      }, ANSWER_MS);
      socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
      socket.on('error', (error) => {
        if (hasCode(error, 'ECONNREFUSED')) found = String(error);
      });
      socket.on('close', () => {
        clearTimeout(timer);
        const isPublic = port === this.ports[0];
        resolve(found ?? faultOfText(answer, isPublic));
      });
    });
  }
}

function faultOfText(answer: string, isPublic: boolean): string | null {
  const [, status = ''] = /^HTTP\/1\.1 (\d+)/.exec(answer) ?? [];
  if (status.startsWith('5')) return answer.slice(0, 500);
  const isExplained = !isPublic || !status.startsWith('4') || /^Content-Type: application\/problem\+json/im.test(answer);
  return isExplained ? null : `no problem details: ${answer.slice(0, 500)}`;
}

/** Half a pair has no percent form. */
function percent(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

function hasCode(error: Error, code: string): boolean {
  return 'code' in error && error.code === code;
}
