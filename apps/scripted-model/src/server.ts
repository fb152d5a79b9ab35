import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { planReply } from './core/reply.js';
import { anthropic, countRequestTokens } from './dialects/anthropic.js';
import { InvalidRequest, check, wordsOf, type Dialect, type MessageReply, type ModelRequest } from './dialects/dialect.js';
import { openai } from './dialects/openai.js';

/** What a test may look at: everything the agent sent. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ScriptedModelOptions {
  /** On 127.0.0.1; 0 takes a free one. */
  readonly port: number;
  readonly onRequest?: (request: ReceivedRequest) => void;
}

export interface ScriptedModel {
  readonly port: number;
  /** For `ANTHROPIC_BASE_URL`; the OpenAI dialect lives under `/v1` of it. */
  readonly url: string;
  /** Cuts replies that are still streaming. Resolves once nothing listens any more; again is the same. */
  close(): Promise<void>;
}

/** As large as Anthropic's own limit. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 60_000;

const DIALECTS: Readonly<Record<string, Dialect>> = { '/v1/messages': anthropic, '/v1/chat/completions': openai };

/**
 * Starts the scripted model: a stand-in for a model server that speaks Anthropic Messages and OpenAI Chat, obeys the script lines of the
 * last prompt and is deterministic. Credentials are taken and forgotten. Rejects when the port is taken.
 */
export async function startScriptedModel({ port, onRequest }: ScriptedModelOptions): Promise<ScriptedModel> {
  const server = createServer((request, response) => void serve(request, response, onRequest));
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const closed = once(server, 'close');
  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, onRequest?: ScriptedModelOptions['onRequest']): Promise<void> {
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const method = request.method ?? '';
  const dialect = DIALECTS[path] ?? anthropic;
  try {
    const body = await readBody(request);
    if (body === null) return sendJson(response, 413, dialect.error(413, `Request exceeds ${MAX_BODY_BYTES} bytes.`));
    onRequest?.({ method, path, headers: request.headers, body });
    await route({ method, path, body }, response);
  } catch (error) {
    if (response.headersSent || response.destroyed) return void response.destroy();
    if (error instanceof InvalidRequest) return sendJson(response, 400, dialect.error(400, error.message));
    sendJson(response, 500, dialect.error(500, 'The scripted model broke.'));
  }
}

/** Null: larger than allowed; what follows is read and dropped, so that the answer arrives. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
    else chunks.length = 0;
  }
  return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}

async function route({ method, path, body }: { method: string; path: string; body: string }, response: ServerResponse): Promise<void> {
  if (path === '/' && (method === 'HEAD' || method === 'GET')) return sendJson(response, 200, { name: 'Bullpen scripted model' });
  const dialect = DIALECTS[path];
  const counts = path === '/v1/messages/count_tokens';
  if (dialect === undefined && !counts) return sendJson(response, 404, anthropic.error(404, `No such path: ${path}`));
  if (method !== 'POST') return sendJson(response, 405, (dialect ?? anthropic).error(405, `${path} takes POST, not ${method}.`));
  const parsed = parseJson(body);
  if (dialect === undefined) return sendJson(response, 200, countRequestTokens(parsed));
  await answer(dialect, dialect.parse(parsed), response);
}

function parseJson(body: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    throw new InvalidRequest('The request body is not valid JSON.');
  }
  check(typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed), 'The request body is not a JSON object.');
  return parsed;
}

async function answer(dialect: Dialect, request: ModelRequest, response: ServerResponse): Promise<void> {
  const reply = planReply(request.conversation);
  if (reply.kind === 'error') {
    return sendJson(response, reply.status, dialect.error(reply.status, `Scripted error ${reply.status}.`));
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  if (request.stream) return sendStream(dialect.stream(request, reply), response, gone.signal);
  await delay(totalDelayMs(reply), undefined, { signal: gone.signal });
  sendJson(response, 200, dialect.json(request, reply));
}

function totalDelayMs(reply: MessageReply): number {
  return [...wordsOf(reply.text)].reduce((sum, { delayMs }) => sum + delayMs, 0);
}

async function sendStream(frames: ReturnType<Dialect['stream']>, response: ServerResponse, signal: AbortSignal): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
  for (const { text, delayMs } of frames) {
    if (delayMs > 0) await delay(delayMs, undefined, { signal });
    if (!response.write(text)) await once(response, 'drain', { signal });
  }
  response.end();
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
