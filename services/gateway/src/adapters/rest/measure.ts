import type { IncomingMessage, ServerResponse } from 'node:http';

import { requestSeconds } from '../metrics.js';

const NO_ROUTE = 'none';

/** Measures a request until its answer is sent, or the client has gone. */
export function measure(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const began = performance.now();
  response.once('close', () => {
    const status = response.writableFinished ? `${Math.floor(response.statusCode / 100)}xx` : 'aborted';
    requestSeconds.record((performance.now() - began) / 1_000, { route: routeOf(request), method: request.method ?? '', status });
  });
  next();
}

/** The pattern as the code has it, never what was asked for. Express sets it once a route matches. */
function routeOf({ route }: IncomingMessage & { readonly route?: { readonly path?: unknown } }): string {
  return typeof route?.path === 'string' ? route.path : NO_ROUTE;
}
