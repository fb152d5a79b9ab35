import { WebSocket } from 'ws';
import type { RawData } from 'ws';

import { signSandboxToken, verifySandboxToken } from '@bullpen/auth';

import { faultOfDescription } from './hostile.js';
import type { Hostile } from './hostile.js';

interface LinkInput {
  readonly path: string;
  readonly messages: readonly (string | Buffer)[];
}

/** The sandbox that takes part: its session is given up to the test. */
export interface LinkTarget {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly generation: number;
}

const ANSWER_MS = 15_000;
/** A welcomed link that is only waited with is left after this. */
const PATIENCE_MS = 100;
const HOUR_MS = 3_600_000;
/** How a link may end: in order, turned away, a text that is no UTF-8 or no frame, too large, or to be tried later. */
const CLOSE_CODES: readonly number[] = [1000, 1002, 1005, 1007, 1008, 1009, 1013];
const FIELDS: readonly string[] = ['kind', 'protocol', 'token', 'sandboxId', 'generation', 'frames', 'n', 'type', 'data', 'sha256', 'bytes', 'stage', 'reason'];

/** Runners that are none: garbage, frames before hello, forged tokens, tokens of older generations, and a real one that sends nonsense. */
export class MalformedLink {
  constructor(
    private readonly port: number,
    private readonly key: string,
    private readonly target: LinkTarget,
  ) {}

  make(hostile: Hostile): LinkInput {
    const path = hostile.chance(0.95) ? '/runner' : hostile.pick(['/', '/runner/x', '/runner%00', '/socket.io/']);
    const first = hostile.chance(0.6) ? this.#hello(hostile) : this.#message(hostile);
    return { path, messages: [first, ...Array.from({ length: hostile.below(4) }, () => this.#message(hostile))] };
  }

  fault({ path, messages }: LinkInput): Promise<string | null> {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${this.port}${path}`, { perMessageDeflate: false });
      let found: string | null = null;
      const timer = setTimeout(() => {
        found = `no answer within ${ANSWER_MS} ms`;
        socket.terminate();
      }, ANSWER_MS);
      socket.on('open', () => {
        for (const message of messages) socket.send(message);
      });
      socket.on('message', (data) => {
        found ??= faultOfAnswer(data);
        setTimeout(() => socket.close(), PATIENCE_MS);
      });
      // A path without a link is answered in HTTP; what the server closes while we still write, breaks.
      socket.on('error', () => undefined);
      socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
        if (statusCode >= 500) found = `HTTP ${statusCode}`;
        socket.terminate();
      });
      socket.on('close', (code) => {
        clearTimeout(timer);
        const isSmall = messages.every((message) => message.length < 1_000_000);
        // Who holds the link is cut off as soon as the next one comes with a token as good.
        const abrupt = code === 1006 && path === '/runner' && isSmall && !this.#isWelcome(messages[0]);
        const odd = code !== 1006 && !CLOSE_CODES.includes(code);
        resolve(found ?? (abrupt || odd ? `closed with ${code}` : null));
      });
    });
  }

  #hello(hostile: Hostile): string {
    const { sessionId, sandboxId, generation } = this.target;
    const claims = {
      sandboxId: hostile.chance(0.7) ? sandboxId : hostile.text(),
      sessionId: hostile.chance(0.7) ? sessionId : hostile.text(),
      generation: hostile.pick([generation, generation, 0, generation + 1, -1, 2 ** 40]),
      expiresAt: Date.now() + hostile.pick([HOUR_MS, HOUR_MS, -1]),
    };
    const signed = signSandboxToken(claims, hostile.chance(0.6) ? this.key : 'another');
    const token = hostile.pick([signed, signed, signed, signed.slice(0, -1), `${signed}A`, hostile.text()]);
    return JSON.stringify({ kind: 'hello', protocol: 1, token, sandboxId: claims.sandboxId, generation: claims.generation });
  }

  #isWelcome(first: string | Buffer | undefined): boolean {
    try {
      const { token, sandboxId } = JSON.parse(String(first)) as { token: string; sandboxId: string };
      return sandboxId === this.target.sandboxId && verifySandboxToken(token, this.key, Date.now()).sandboxId === sandboxId;
    } catch {
      return false;
    }
  }

  #message(hostile: Hostile): string | Buffer {
    switch (hostile.below(9)) {
      case 0:
        return hostile.bytes(2_000);
      case 1:
        return hostile.chance(0.05) ? 'x'.repeat(1_200_000) : '{'.repeat(50);
      case 2:
        return `{"kind":"frames","frames":[{"n":1,"type":"x","data":${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}}]}`;
      case 3:
        return JSON.stringify({ kind: 'frames', frames: [{ n: hostile.pick([0, 1, 2, 99, 2 ** 31]), type: hostile.text(), data: hostile.object(['turnId', 'text']) }] });
      case 4:
        return JSON.stringify({ kind: 'object', sha256: 'a'.repeat(64), bytes: hostile.pick([0, 1, 10, -1, 2 ** 50]) });
      case 5:
        return JSON.stringify({ kind: 'heartbeat', stage: hostile.pick(['ready', hostile.text()]), since: hostile.text(), turn: hostile.value() });
      case 6:
        return this.#hello(hostile);
      default:
        return hostile.json(FIELDS);
    }
  }
}

function faultOfAnswer(data: RawData): string | null {
  const answer = JSON.parse(String(data)) as { readonly kind: string; readonly reason?: { readonly code: unknown; readonly message: unknown } };
  return answer.kind === 'refused' ? faultOfDescription(answer.reason?.code, answer.reason?.message) : null;
}
