import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { CallOptions, Client, Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

import { Bug, assert } from '@bullpen/errors';

import { ERROR_METADATA, fromWire, unavailable } from './wire-error.js';

export interface RpcClientOptions {
  /** `http://127.0.0.1:4811` */
  readonly url: string;
  readonly key: string;
  /** Deadline of a call that names none. */
  readonly timeoutMs: number;
}

type UnaryCall = (request: unknown, options?: CallOptions) => Promise<DescMessage>;

/** Without an answer of the service's own, these say that both sides were built or configured differently: trying again helps nobody. */
const MISMATCH_CODES: readonly Code[] = [Code.Unimplemented, Code.InvalidArgument, Code.Unauthenticated, Code.PermissionDenied];

/**
 * Calls a service of the platform. Errors arrive as they were thrown on the other side: Rejection and Fault with their code, text and
 * details; a Bug there is a Bug here, without its inside. A service that cannot be reached or misses the deadline is Fault
 * `<service>.unavailable`; whether the call took effect is then unknown, so commands carry an idempotency key. Unary methods only.
 */
export function createRpcClient<Service extends DescService>(service: Service, options: RpcClientOptions): Client<Service> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${options.key}`);
    return next(request);
  };
  const transport = createGrpcTransport({ baseUrl: options.url, defaultTimeoutMs: options.timeoutMs, interceptors: [authorize] });
  const calls = createClient(service, transport) as unknown as Record<string, UnaryCall>;
  const peer = peerName(service.typeName);
  const translated = service.methods.map((method) => {
    assert(method.methodKind === 'unary', `${service.typeName}.${method.name} streams; createRpcClient knows unary methods only`);
    const call = calls[method.localName];
    assert(call, `${service.typeName} has no method ${method.localName}`);
    const translatedCall: UnaryCall = async (request, callOptions) => {
      try {
        return await call(request, callOptions);
      } catch (error) {
        throw translate(error, peer);
      }
    };
    return [method.localName, translatedCall] as const;
  });
  return Object.fromEntries(translated) as unknown as Client<Service>;
}

/** `bullpen.session.v1.SessionService` → `session`. */
function peerName(typeName: string): string {
  return typeName.split('.').at(-3) ?? typeName;
}

function translate(error: unknown, peer: string): Error {
  if (!(error instanceof ConnectError)) return unavailable(peer, error);
  const encoded = error.metadata.get(ERROR_METADATA);
  if (encoded === null && MISMATCH_CODES.includes(error.code)) {
    return new Bug(`The ${peer} service refused the call's form: ${error.message}`);
  }
  return fromWire(encoded, peer, error);
}
