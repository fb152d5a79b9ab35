import { Client, Metadata, credentials, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { LOCAL_ORGANISATION_ID } from '@bullpen/auth';
import { SandboxOrchestratorService, SessionService } from '@bullpen/contracts';

import { faultOfDescription } from './hostile.js';
import type { Hostile } from './hostile.js';

interface RpcInput {
  readonly service: string;
  readonly method: string;
  readonly key: string | null;
  readonly bytes: Buffer;
}

const ANSWER_MS = 15_000;
const SERVICES = [SessionService, SandboxOrchestratorService];
/** Says yes to anything that can be read, and no sandbox is made after it. */
const NEVER_WITH_KEY = 'Drain';

/** Calls of the services' own gRPC, by somebody on the same machine: without the key, with another, and with the right one. */
export class MalformedRpc {
  readonly #clients: ReadonlyMap<string, Client>;

  constructor(
    ports: Readonly<Record<string, number>>,
    private readonly key: string,
  ) {
    const of = (port: string) => new Client(`127.0.0.1:${ports[port]}`, credentials.createInsecure());
    this.#clients = new Map([
      [SessionService.typeName, of('sessionGrpc')],
      [SandboxOrchestratorService.typeName, of('orchestratorGrpc')],
    ]);
  }

  close(): void {
    for (const client of this.#clients.values()) client.close();
  }

  make(hostile: Hostile): RpcInput {
    const service = hostile.pick(SERVICES);
    const known = hostile.pick(service.methods).name;
    const method = hostile.chance(0.05) ? 'NoSuchMethod' : known;
    const key = hostile.chance(0.7) && known !== NEVER_WITH_KEY ? this.key : hostile.pick([null, '', 'x', `${this.key}x`]);
    return { service: service.typeName, method, key, bytes: this.#message(hostile) };
  }

  async fault({ service, method, key, bytes }: RpcInput): Promise<string | null> {
    const error = await this.#call(`/${service}/${method}`, key, bytes);
    if (error === null) return key === this.key ? null : 'it was answered without the key';
    // gRPC's own words for bytes that are no message and for a method that is not there; no code of ours is asked.
    if (error.code === status.INTERNAL && error.details.startsWith('Error deserializing request')) return null;
    if (error.code === status.UNIMPLEMENTED || error.code === status.RESOURCE_EXHAUSTED) return null;
    if (key !== this.key) return error.code === status.UNAUTHENTICATED ? null : `not UNAUTHENTICATED: ${error.message}`;
    if (error.code === status.UNAVAILABLE || error.code === status.INTERNAL || error.code === status.UNKNOWN) return error.message;
    const [encoded = ''] = error.metadata.get('bullpen-error');
    if (encoded === '') return `no description: ${error.message}`;
    const { code, message } = JSON.parse(Buffer.from(String(encoded), 'base64url').toString()) as Record<string, unknown>;
    return faultOfDescription(code, message);
  }

  #call(path: string, key: string | null, bytes: Buffer): Promise<ServiceError | null> {
    const client = this.#clients.get(path.split('/')[1] ?? '');
    if (!client) throw new Error(`no client for ${path}`);
    const metadata = new Metadata();
    if (key !== null) metadata.set('authorization', `Bearer ${key}`);
    const asIs = (value: Buffer): Buffer => value;
    return new Promise((resolve) => {
      client.makeUnaryRequest(path, asIs, asIs, bytes, metadata, { deadline: Date.now() + ANSWER_MS }, (error) => resolve(error));
    });
  }

  #message(hostile: Hostile): Buffer {
    if (hostile.chance(0.2)) return hostile.bytes(200);
    if (hostile.chance(0.003)) return Buffer.alloc(5 * 1024 * 1024, 10);
    const context = hostile.chance(0.7) ? contextOf(hostile) : field(1, hostile.text());
    const fields = Array.from({ length: hostile.below(7) }, () => {
      const number = hostile.below(8) + 1;
      return hostile.chance(0.85) ? field(number, hostile.text()) : Buffer.concat([varint(number << 3), varint(hostile.below(2 ** 31))]);
    });
    const message = Buffer.concat([context, ...fields]);
    return hostile.chance(0.1) ? message.subarray(0, hostile.below(message.length + 1)) : message;
  }
}

/** Of a caller as the gateway names it, but for what it is given. */
function contextOf(hostile: Hostile): Buffer {
  const actor = Buffer.concat([field(1, 'user'), field(2, 'local'), field(3, hostile.text())]);
  const key = hostile.chance(0.5) ? field(3, hostile.text()) : Buffer.alloc(0);
  return field(1, Buffer.concat([field(1, LOCAL_ORGANISATION_ID), field(2, actor), key, field(4, hostile.text())]));
}

function field(number: number, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
