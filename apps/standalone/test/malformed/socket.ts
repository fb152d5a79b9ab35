import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';
import { WebSocket } from 'ws';

import type { TestPlatform } from '../platform.harness.js';
import { faultOfDescription } from './hostile.js';
import type { Hostile } from './hostile.js';

type SocketInput =
  | { readonly kind: 'message'; readonly name: string; readonly values: readonly unknown[] }
  | { readonly kind: 'packets'; readonly query: string; readonly packets: readonly (string | Buffer)[] };

const ANSWER_MS = 15_000;
const PATIENCE_MS = 50;
const FIELDS: readonly string[] = ['sessionId', 'after', 'models'];
const KNOWN: readonly string[] = ['session.subscribe', 'session.unsubscribe'];

/** A client that asks for what is not there, and one that does not speak Socket.IO at all. */
export class MalformedSocket {
  #socket: Socket | null = null;

  constructor(
    private readonly platform: TestPlatform,
    private readonly sessionId: string,
  ) {}

  close(): void {
    this.#socket?.disconnect();
  }

  make(hostile: Hostile): SocketInput {
    if (hostile.chance(0.8)) {
      const name = hostile.chance(0.9) ? hostile.pick(KNOWN) : hostile.text().slice(0, 200);
      const body = { ...hostile.object(FIELDS), ...(hostile.chance(0.3) ? { sessionId: this.sessionId } : {}) };
      return { kind: 'message', name, values: hostile.pick([[body], [body], [body], [], [hostile.value()], [body, body], [hostile.bytes(50)]]) };
    }
    const query = hostile.pick(['?EIO=4&transport=websocket', '?EIO=4&transport=websocket', '?EIO=3&transport=websocket', '?transport=polling', '?EIO=4&transport=websocket&sid=x']);
    return { kind: 'packets', query, packets: Array.from({ length: hostile.below(5) + 1 }, () => this.#packet(hostile)) };
  }

  fault(input: SocketInput): Promise<string | null> {
    return input.kind === 'message' ? this.#message(input.name, input.values) : this.#packets(input.query, input.packets);
  }

  async #message(name: string, values: readonly unknown[]): Promise<string | null> {
    const socket = await this.#connected();
    // Only what somebody listens to is answered, and Socket.IO takes the reserved names for its own.
    if (!KNOWN.includes(name)) {
      socket.volatile.emit(`x${name}`, ...values);
      return null;
    }
    const answer = (await socket.timeout(ANSWER_MS).emitWithAck(name, ...values)) as Record<string, unknown>;
    return answer['ok'] === true ? null : faultOfDescription(answer['code'], answer['message']);
  }

  async #connected(): Promise<Socket> {
    const { url, token } = this.platform;
    this.#socket ??= io(url, { transports: ['websocket'], auth: { token }, forceNew: true, reconnectionDelay: 50 });
    const socket = this.#socket;
    if (!socket.connected) await new Promise((resolve) => socket.once('connect', () => resolve(null)));
    return socket;
  }

  #packet(hostile: Hostile): string | Buffer {
    const { token } = this.platform;
    return hostile.pick([
      '40',
      `40${JSON.stringify({ token })}`,
      `40${JSON.stringify({ token })}`,
      `40${JSON.stringify({ token: hostile.value() })}`,
      `40/${hostile.text().slice(0, 100)},{}`,
      `42${hostile.json(FIELDS).toString('latin1')}`,
      `42["session.subscribe",${hostile.json(FIELDS).toString('latin1')}]`,
      `421["session.subscribe"]`,
      `4251-["session.subscribe",{"_placeholder":true,"num":${hostile.below(9)}}]`,
      `459999999999-["x"]`,
      '42["disconnect"]',
      '42["__proto__",{}]',
      hostile.text().slice(0, 500),
      hostile.bytes(200),
    ]);
  }

  /** Nothing has to be answered; the server closes, or bears it. */
  #packets(query: string, packets: readonly (string | Buffer)[]): Promise<string | null> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`${this.platform.url.replace('http', 'ws')}/socket.io/${query}`);
      let found: string | null = null;
      socket.on('open', () => {
        for (const packet of packets) socket.send(packet);
        setTimeout(() => socket.close(), PATIENCE_MS);
      });
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
        if (statusCode >= 500) found = `HTTP ${statusCode}`;
        socket.terminate();
      });
      socket.on('close', () => resolve(found));
    });
  }
}
