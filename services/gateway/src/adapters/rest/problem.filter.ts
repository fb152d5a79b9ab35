import { Catch, NotFoundException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';

import { Fault, Rejection } from '@bullpen/errors';
import type { Logger } from '@bullpen/telemetry';

import { problemOf } from './problem.js';

interface RouteLayer {
  readonly route?: { readonly methods: Readonly<Record<string, boolean>> };
  match(path: string): boolean;
}

/** Every error of every route, and of what comes before the routes, leaves through here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const allowed = error instanceof NotFoundException ? allowedMethods(request) : [];
    const meant = allowed.length > 0 ? wrongMethod(request, allowed) : error;
    const { problem, headers } = problemOf(meant);
    const about = { method: request.method, path: request.path, requestId: response.getHeader('X-Request-Id'), error };
    if (problem.status === 500) this.logger.error('a request broke', about);
    else if (error instanceof Fault) this.logger.warn('a request failed on something outside', about);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    if (allowed.length > 0) response.setHeader('Allow', allowed.join(', '));
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
  }
}

function wrongMethod({ method, path }: Request, allowed: readonly string[]): Rejection {
  return new Rejection('method.not-allowed', `${path} does not answer to ${method}; it takes ${allowed.join(', ')}.`, { allowed });
}

/** Methods under which the router knows the path; none for a path that is not there at all. */
function allowedMethods({ app, path }: Request): string[] {
  const { stack } = (app as unknown as { router: { stack: readonly RouteLayer[] } }).router;
  const methods = stack.flatMap((layer) => (layer.route !== undefined && layer.match(path) ? Object.keys(layer.route.methods) : []));
  return [...new Set(methods.map((method) => method.toUpperCase()))].toSorted();
}
