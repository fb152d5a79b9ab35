import type { IncomingMessage, ServerResponse } from 'node:http';

import { Catch, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';

import { Fault, Rejection } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { problems } from '../metrics.js';
import { pathOf } from './edge.js';
import { problemOf } from './problem.js';

/** The part of Express that knows which methods a path answers to. */
export interface RouteTable {
  readonly router: { readonly stack: readonly RouteLayer[] };
}

interface RouteLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Every error of every route, and of what comes before the routes, leaves through here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(
    private readonly routes: RouteTable,
    private readonly logger: Logger,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<IncomingMessage>();
    const response = host.switchToHttp().getResponse<ServerResponse>();
    const allowed = error instanceof NotFoundException ? this.#allowedMethods(pathOf(request)) : [];
    const { problem, headers } = problemOf(allowed.length > 0 ? wrongMethod(request, allowed) : error);
    problems.add({ via: 'rest', code: problem.code });
    const about = { method: request.method, path: pathOf(request), requestId: response.getHeader('X-Request-Id'), error };
    if (problem.status === 500) this.logger.error('a request broke', about);
    else if (error instanceof Fault) this.logger.warn('a request failed on something outside', about);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (allowed.length > 0) response.setHeader('Allow', allowed.join(', '));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.statusCode = problem.status;
    response.setHeader('Content-Type', 'application/problem+json; charset=utf-8');
    response.end(JSON.stringify(problem));
  }

  /** Methods under which the router knows the path; none for a path that is not there at all. */
  #allowedMethods(path: string): string[] {
    const { stack } = this.routes.router;
    const methods = stack.flatMap((layer) =>
      layer.route !== undefined && layer.match(path) ? Object.keys(layer.route.methods) : [],
    );
    return [...new Set(methods.map((method) => method.toUpperCase()))].toSorted();
  }
}

function wrongMethod(request: IncomingMessage, allowed: readonly string[]): Rejection {
  const path = pathOf(request);
  return new Rejection('method.not-allowed', `${path} does not answer to ${request.method}; it takes ${allowed.join(', ')}.`, {
    allowed,
  });
}
