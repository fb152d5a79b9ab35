import { existsSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';

import { Rejection } from '@bullpen/errors';
import serveStatic from 'serve-static';

/** As express hands them on. */
interface SiteRequest extends IncomingMessage {
  readonly path: string;
  acceptsEncodings(name: string): string | false;
}
interface SiteResponse extends ServerResponse {
  /** Sets the content type of files with this ending. */
  type(ending: string): unknown;
}

/** Everything else belongs to the dashboard, whose own router says what is not there. */
const NOT_THE_SITE = /^\/(?:api|socket\.io|healthz|readyz|metrics)(?:\/|$)/;
const ASSETS = /\/assets\//;
/** A name with an ending is a file's; every other path is a page, and all pages are one. */
const FILE = /\.[a-z0-9]+$/i;
const PAGE = '/index.html';
/** The build leaves these beside a file that gains by it, best first. */
const ENCODINGS = [
  { name: 'br', ending: '.br' },
  { name: 'gzip', ending: '.gz' },
] as const;
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
export function serveSite(folder: string): (request: SiteRequest, response: SiteResponse, next: (error?: unknown) => void) => void {
  if (!existsSync(join(folder, PAGE))) {
    throw new Rejection('config.invalid', `BULLPEN_WEB: there is no dashboard in ${folder}. Build it: make build.`);
  }
  const serve = serveStatic<SiteResponse>(folder, { index: false, redirect: false, cacheControl: false, setHeaders });
  return (request, response, next) => {
    const { path, method } = request;
    if (NOT_THE_SITE.test(path) || (method !== 'GET' && method !== 'HEAD')) return next();
    request.url = packed(folder, FILE.test(path) ? path : PAGE, request);
    return serve(request, response, (error?: unknown) => {
      next(error ?? new Rejection('route.not-found', 'This file is not part of the dashboard, or not any more. Reload the page.'));
    });
  };
}

/** Looked up for each request: the next build may replace the files at any time. */
function packed(folder: string, path: string, request: SiteRequest): string {
  const found = ENCODINGS.find(({ name, ending }) => request.acceptsEncodings(name) === name && existsSync(join(folder, path + ending)));
  return found === undefined ? path : path + found.ending;
}

/** Only for a file that was found. */
function setHeaders(response: SiteResponse, file: string): void {
  const encoding = ENCODINGS.find(({ ending }) => file.endsWith(ending));
  if (encoding !== undefined) {
    response.setHeader('Content-Encoding', encoding.name);
    response.type(extname(file.slice(0, -encoding.ending.length)));
  }
  response.setHeader('Vary', 'Accept-Encoding');
  response.setHeader('Content-Security-Policy', SITE_POLICY);
  response.setHeader('Cache-Control', ASSETS.test(file) ? FOR_EVER : ASK_AGAIN);
}
