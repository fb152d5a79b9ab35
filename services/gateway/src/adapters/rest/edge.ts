import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { NestExpressApplication } from '@nestjs/platform-express';

import { tokensEqual } from '@bullpen/auth';
import { Rejection } from '@bullpen/errors';
import { traceparentOf, withTrace } from '@bullpen/telemetry';

import { isKnownHost, isKnownOrigin } from '../../core/hosts.js';
import { serveSite } from '../web/site.js';
import { measure } from './measure.js';
import { MAX_BODY_BYTES, mediaTypeRefused } from './problem.js';

type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

const JSON_TYPE = /^application\/json *(;|$)/i;
const REQUEST_ID = /^[\w.:-]{1,100}$/;
const OPEN_PATHS: readonly string[] = ['/', '/healthz', '/readyz', '/metrics', '/api/docs-json', '/api/v1/sign-in'];
const DOCS_PATH = /^\/api\/docs(\/|$)/;

export interface EdgeOptions {
  readonly token: string;
  readonly allowedHosts: readonly string[];
  /** Folder of the dashboard; without it there is only the API. */
  readonly site: string | undefined;
}

/** Before any route: request id, headers, host, origin, the dashboard's files, token, then the body. */
export function useEdge(app: NestExpressApplication, options: EdgeOptions): void {
  const site = options.site === undefined ? [] : [serveSite(options.site)];
  app.use(measure, identify, harden, checkHost(options), ...site, checkToken(options), checkMediaType);
  app.useBodyParser('json', { limit: MAX_BODY_BYTES, inflate: false });
}

const identify: Middleware = ({ headers }, response, next) => {
  const given = headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  response.setHeader('X-Request-Id', requestId);
  const { traceparent } = headers;
  withTrace({ requestId, traceparent: traceparentOf(typeof traceparent === 'string' ? traceparent : undefined) }, next);
};

const harden: Middleware = (request, response, next) => {
  const isDocs = DOCS_PATH.test(pathOf(request));
  const docs =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";
  response.setHeader('Content-Security-Policy', isDocs ? docs : "default-src 'none'; frame-ancestors 'none'; sandbox");
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  if (!isDocs) response.setHeader('Cache-Control', 'no-store');
  next();
};

function checkHost({ allowedHosts }: EdgeOptions): Middleware {
  return (request, _response, next) => {
    const port = request.socket.localPort ?? 0;
    const { host, origin } = request.headers;
    if (!isKnownHost(host, port, allowedHosts)) {
      throw new Rejection(
        'host.unknown',
        'This host name is not one of ours. Add it to BULLPEN_ALLOWED_HOSTS if it is meant to be.',
      );
    }
    if (!isKnownOrigin(origin, port, allowedHosts)) {
      throw new Rejection('origin.foreign', 'A page of another origin may not call this API.');
    }
    next();
  };
}

function checkToken({ token }: EdgeOptions): Middleware {
  return (request, _response, next) => {
    const path = pathOf(request);
    if (OPEN_PATHS.includes(path) || DOCS_PATH.test(path)) return next();
    const given = /^Bearer +(.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined)
      throw new Rejection('auth.missing', 'This request carries no token. Send `Authorization: Bearer <token>`.');
    if (!tokensEqual(given, token)) throw new Rejection('auth.invalid', 'This token is not valid here. Send the one of this platform: the file `token` in its data folder.');
    next();
  };
}

/** The parser passes over a body of another type; a route would then complain of fields that were sent. */
const checkMediaType: Middleware = ({ headers }, _response, next) => {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (hasBody && !JSON_TYPE.test(headers['content-type'] ?? '')) throw mediaTypeRefused();
  next();
};

/** As it was sent: what does not match to the letter is not open. */
export function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}
