import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';

import { Fault } from '@bullpen/errors';
import { METRICS_CONTENT_TYPE, metricsText } from '@bullpen/telemetry';

const LOOPBACK = '127.0.0.1';
/** A check that has not answered by then has failed. */
const CHECK_TIMEOUT_MS = 2_000;

export interface HealthCheck {
  /** `log`, `postgres`. */
  readonly name: string;
  /** Without it the service still does most of its work: it is then `degraded`, and ready all the same. */
  readonly optional?: boolean;
  /** Rejects, or resolves to false, when it is not well. */
  readonly passes: (signal: AbortSignal) => Promise<unknown>;
}

export interface HealthReport {
  readonly status: 'ready' | 'degraded' | 'not-ready';
  readonly checks: Readonly<Record<string, boolean>>;
}

export interface HealthServer {
  readonly port: number;
  /** Repeating it does nothing. */
  close(): Promise<void>;
}

/**
 * `/healthz` says that the process runs; `/readyz` runs every check and answers 200 when it is ready or degraded, else 503; `/metrics` shows
 * what the process has counted. On 127.0.0.1, without a key: it tells names of checks and figures, and nothing else.
 *
 * @throws Fault `health.not-listening` when the port cannot be bound
 */
export async function startHealthServer({ port, checks }: { readonly port: number; readonly checks: readonly HealthCheck[] }): Promise<HealthServer> {
  const server = createServer((request, response) => {
    if (request.url === '/healthz') return answer(response, 200, { status: 'ok' });
    if (request.url === '/metrics') return void metricsText().then((text) => answerMetrics(response, text));
    if (request.url !== '/readyz') return answer(response, 404, { status: 'not-found' });
    void readiness(checks).then((report) => answer(response, report.status === 'not-ready' ? 503 : 200, report));
  });
  await listen(server, port);
  const address = server.address();
  let closing: Promise<void> | null = null;
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () => (closing ??= end(server)),
  };
}

/** Never rejects: what fails is named in the report. */
export async function readiness(checks: readonly HealthCheck[]): Promise<HealthReport> {
  const results = await Promise.all(checks.map(async (check) => ({ ...check, fine: await passes(check) })));
  const failed = results.filter(({ fine }) => !fine);
  const isDown = failed.some(({ optional }) => optional !== true);
  const impaired = failed.length > 0 ? 'degraded' : 'ready';
  return { status: isDown ? 'not-ready' : impaired, checks: Object.fromEntries(results.map(({ name, fine }) => [name, fine])) };
}

async function passes(check: HealthCheck): Promise<boolean> {
  const signal = AbortSignal.timeout(CHECK_TIMEOUT_MS);
  const late = new Promise<false>((resolve) => signal.addEventListener('abort', () => resolve(false), { once: true }));
  try {
    return (await Promise.race([check.passes(signal), late])) !== false;
  } catch {
    return false;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(body));
}

function answerMetrics(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' }).end(text);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new Fault('health.not-listening', `Cannot serve health on ${LOOPBACK}:${port}. Is the port taken?`, { cause }));
    });
    server.listen(port, LOOPBACK, () => resolve());
  });
}

async function end(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeAllConnections();
  await closed;
}
