import { createHash, timingSafeEqual } from 'node:crypto';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { Catch } from '@nestjs/common';
import type {
  CallHandler,
  CanActivate,
  DynamicModule,
  ExecutionContext,
  LoggerService,
  NestInterceptor,
  RpcExceptionFilter,
  Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { Observable, throwError } from 'rxjs';

import { Fault, Rejection } from '@bullpen/errors';
import { traceparentOf, withTrace, withoutRepeats } from '@bullpen/telemetry';
import type { Logger } from '@bullpen/telemetry';

import { UNAUTHENTICATED, toStatus } from './wire-error.js';

// It prints beside the structured log; what fails reaches us as an error.
setLogVerbosity(logVerbosity.NONE);

const PROTO_FOLDER = fileURLToPath(new URL('../../../proto/', import.meta.url));

export interface RpcServerOptions {
  /** A Nest module whose controllers answer with `@GrpcMethod`. */
  readonly module: Type | DynamicModule;
  /** `bullpen.session.v1`; its file is `proto/bullpen/session/v1/session.proto`. */
  readonly package: string;
  readonly port: number;
  /** Bearer key that every call must carry. */
  readonly key: string;
  readonly logger: Logger;
}

export interface RpcServer {
  /** Ends the calls that run, then the module's own resources (`onModuleDestroy`). Repeating it does nothing. */
  close(): Promise<void>;
}

/**
 * Serves one proto package on 127.0.0.1. Calls without the key get UNAUTHENTICATED; a Rejection, Fault or Bug becomes a status that
 * `createRpcClient` turns back into the same error. A call that its caller has given up already is not begun.
 *
 * @throws Fault `rpc.not-listening` when the port cannot be bound
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { logger, port } = options;
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(options.module, {
    transport: Transport.GRPC,
    options: {
      url: `127.0.0.1:${port}`,
      package: options.package,
      protoPath: protoFile(options.package),
      loader: { includeDirs: [PROTO_FOLDER], longs: String, defaults: true, oneofs: true },
    },
    logger: nestLogger(logger),
    abortOnError: false,
  });
  app.useGlobalGuards(new BearerGuard(options.key), new GivenUpGuard());
  app.useGlobalFilters(new ErrorFilter(withoutRepeats(logger)));
  app.useGlobalInterceptors(new TraceInterceptor());
  try {
    await app.listen();
  } catch (cause) {
    await app.close().catch(() => undefined);
    throw new Fault('rpc.not-listening', `Cannot serve ${options.package} on 127.0.0.1:${port}. Is the port taken?`, { cause });
  }
  let closing: Promise<void> | null = null;
  return { close: () => (closing ??= app.close()) };
}

function protoFile(packageName: string): string {
  const folders = packageName.split('.');
  return `${folders.join('/')}/${folders.at(-2) ?? packageName}.proto`;
}

class BearerGuard implements CanActivate {
  readonly #expected: Buffer;

  constructor(key: string) {
    this.#expected = digest(`Bearer ${key}`);
  }

  canActivate(context: ExecutionContext): boolean {
    const given = String(context.switchToRpc().getContext<Metadata>().get('authorization')[0] ?? '');
    // Digests have one length, so the comparison tells nothing about the key's.
    if (timingSafeEqual(digest(given), this.#expected)) return true;
    throw new Rejection(UNAUTHENTICATED, 'This call carries no valid key. Set BULLPEN_RPC_KEY to the same value on both sides.');
  }
}

/**
 * A process that stood still finds calls whose callers have long gone to another replica: begun now, they would undo what came after them.
 * It learns that they were given up when it has read on.
 */
class GivenUpGuard implements CanActivate {
  async canActivate(context: ExecutionContext): Promise<boolean> {
    await turnOfTheLoop();
    if (!context.getArgByIndex<ServerUnaryCall<unknown, unknown>>(2).cancelled) return true;
    throw new Fault('rpc.given-up', 'The caller has given this call up; it is not begun.');
  }
}

/** A call is worked on within the trace of the request that led to it. */
class TraceInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const metadata = context.switchToRpc().getContext<Metadata>();
    const [requestId, traceparent] = ['x-request-id', 'traceparent'].map((name) => metadata.get(name)[0]);
    if (typeof requestId !== 'string' || typeof traceparent !== 'string') return next.handle();
    const trace = { requestId, traceparent: traceparentOf(traceparent) };
    return new Observable((subscriber) => withTrace(trace, () => next.handle().subscribe(subscriber)));
  }
}

@Catch()
class ErrorFilter implements RpcExceptionFilter<unknown> {
  constructor(private readonly logger: Logger) {}

  catch(error: unknown): Observable<never> {
    if (error instanceof Fault) this.logger.warn('call failed on something outside', { error });
    else if (!(error instanceof Rejection)) this.logger.error('call broke', { error });
    return throwError(() => toStatus(error));
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** What Nest itself logs, in the platform's form: its chatter is debug. */
export function nestLogger(logger: Logger): LoggerService {
  const text = (message: unknown): string => (message instanceof Error ? message.message : String(message));
  return {
    log: (message) => logger.debug('nest', { detail: text(message) }),
    debug: (message) => logger.debug('nest', { detail: text(message) }),
    verbose: () => undefined,
    warn: (message) => logger.warn('nest', { detail: text(message) }),
    error: (message) => logger.error('nest', { detail: text(message) }),
  };
}
