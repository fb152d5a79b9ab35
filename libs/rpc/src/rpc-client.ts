import type { DescMessage, DescService } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { CallOptions, Client, Interceptor } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';

import { Bug, assert } from '@bullpen/errors';
import { currentTrace } from '@bullpen/telemetry';

import { Peers } from './peers.js';
import { ERROR_METADATA, fromWire, unavailable } from './wire-error.js';

export interface RpcClientOptions {
  /** `http://127.0.0.1:4811`; of several replicas, all of them with commas between. */
  readonly url: string;
  readonly key: string;
  /** Deadline of a call that names none; all replicas that are tried share it. */
  readonly timeoutMs: number;
}

/** With a choice of replicas, one that stands still is noticed after twice this. */
const PING_MS = 2_000;

type UnaryCall = (request: unknown, options?: CallOptions) => Promise<DescMessage>;

/** Without an answer of the service's own, these say that both sides were built or configured differently: trying again helps nobody. */
const MISMATCH_CODES: readonly Code[] = [Code.Unimplemented, Code.InvalidArgument, Code.Unauthenticated, Code.PermissionDenied];

/**
 * Calls a service of the platform. Errors arrive as they were thrown on the other side: Rejection and Fault with their code, text and
 * details; a Bug there is a Bug here, without its inside. A service that cannot be reached or misses the deadline is Fault
 * `<service>.unavailable`; whether the call took effect is then unknown, so commands carry an idempotency key. A call that one replica does
 * not answer goes to the next, each at most once. Unary methods only.
 */
export function createRpcClient<Service extends DescService>(service: Service, options: RpcClientOptions): Client<Service> {
  const authorize: Interceptor = (next) => (request) => {
    request.header.set('authorization', `Bearer ${options.key}`);
    const trace = currentTrace();
    if (trace) {
      request.header.set('traceparent', trace.traceparent);
      request.header.set('x-request-id', trace.requestId);
    }
    return next(request);
  };
  const urls = options.url.split(',').map((url) => url.trim());
  const pings = urls.length > 1 ? { pingIntervalMs: PING_MS, pingTimeoutMs: PING_MS } : {};
  const clients = new Map(
    urls.map((baseUrl) => {
      const transport = createGrpcTransport({ baseUrl, defaultTimeoutMs: options.timeoutMs, interceptors: [authorize], ...pings });
      return [baseUrl, createClient(service, transport) as unknown as Record<string, UnaryCall>] as const;
    }),
  );
  const peers = new Peers(urls);
  const translated = service.methods.map((method) => {
    assert(method.methodKind === 'unary', `${service.typeName}.${method.name} streams; createRpcClient knows unary methods only`);
    const ask: Ask = async (url, request, callOptions) => {
      const call = clients.get(url)?.[method.localName];
      assert(call, `${service.typeName} has no method ${method.localName}`);
      return call(request, callOptions);
    };
    const call: UnaryCall = (request, callOptions = {}) =>
      askInTurn({ peers, ask, service: peerName(service.typeName) }, request, { timeoutMs: options.timeoutMs, ...callOptions });
    return [method.localName, call] as const;
  });
  return Object.fromEntries(translated) as unknown as Client<Service>;
}

type Ask = (url: string, request: unknown, options: CallOptions) => Promise<DescMessage>;

interface Replicas {
  readonly peers: Peers;
  readonly ask: Ask;
  readonly service: string;
}

async function askInTurn({ peers, ask, service }: Replicas, request: unknown, options: CallOptions & { timeoutMs: number }): Promise<DescMessage> {
  const deadline = Date.now() + options.timeoutMs;
  let failure: unknown = null;
  for (const url of peers.order(Date.now())) {
    const timeoutMs = deadline - Date.now();
    if (failure !== null && timeoutMs <= 0) break;
    try {
      const answer = await ask(url, request, { ...options, timeoutMs });
      peers.answered(url);
      return answer;
    } catch (error) {
      failure = error;
      if (!isUnanswered(error)) break;
      peers.failed(url, Date.now());
      if (options.signal?.aborted) break;
    }
  }
  throw translate(failure, service);
}

/** Nothing came from the service's own code. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return true;
  return error.metadata.get(ERROR_METADATA) === null && !MISMATCH_CODES.includes(error.code);
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
