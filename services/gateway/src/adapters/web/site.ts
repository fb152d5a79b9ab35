import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

import { Rejection } from '@bullpen/errors';
import sirv from 'sirv';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/** Everything else belongs to the dashboard, whose own router says what is not there. */
const NOT_THE_SITE = /^\/(?:api|socket\.io|healthz|readyz|metrics)(?:\/|$)/;
const ASSETS = /^\/assets\//;
/**
 * Scripts, connections and fonts are ours alone. Styles may stand in the page: the diff viewer writes them into its shadow root and overlays
 * place themselves by them, and without a script nothing can be done with one.
 */
const SITE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
/** Named by their content. */
const FOR_EVER = 'public, max-age=31536000, immutable';
/** The page names the assets: it is asked for again each time, and answered with 304 while it is the same. */
const ASK_AGAIN = 'no-cache';

/**
 * The dashboard that a build left in `folder`, to anybody: it holds no data. `/assets/` for ever and compressed as the build made them, any other
 * page as index.html.
 *
 * @throws Rejection `config.invalid` when the folder holds no dashboard
 */
export function serveSite(folder: string): Middleware {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new Rejection('config.invalid', `BULLPEN_WEB: there is no dashboard in ${folder}. Build it: make build.`);
  }
  const serve = sirv(folder, { etag: true, brotli: true, gzip: true, single: true, setHeaders });
  return (request, response, next) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (NOT_THE_SITE.test(path) || (request.method !== 'GET' && request.method !== 'HEAD')) return next();
    return serve(request, response, () => {
      throw new Rejection('route.not-found', 'This file is not part of the dashboard, or not any more. Reload the page.');
    });
  };
}

function setHeaders(response: ServerResponse, path: string): void {
  response.setHeader('Content-Security-Policy', SITE_POLICY);
  response.setHeader('Cache-Control', ASSETS.test(path) ? FOR_EVER : ASK_AGAIN);
}
