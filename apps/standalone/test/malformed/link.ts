import { WebSocket } from 'ws';

import { RunnerHandshake, signSandboxToken } from '@bullpen/auth';
import type { LinkChallenge } from '@bullpen/auth';
import { RUNNER_LINK_PROTOCOL } from '@bullpen/contracts';

import { faultOfDescription } from './hostile.js';
import type { Hostile } from './hostile.js';

type Message = string | Buffer;

interface LinkInput {
  readonly path: string;
  readonly first: Message;
  /** What follows a challenge: `right`, `reflected` (the orchestrator's own), or this text. */
  readonly proof: string;
  /** After the proof. */
  readonly messages: readonly Message[];
  /** Who knows the token of the first message; null: nobody does. */
  readonly holder: RunnerHandshake | null;
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
/** One more than an id may have. */
const MAX_ID_CHARS = 65;
const FIELDS: readonly string[] = ['kind', 'protocol', 'sandboxId', 'sessionId', 'generation', 'expiresAt', 'nonce', 'proof', 'frames', 'n', 'type', 'data', 'sha256', 'bytes', 'stage', 'reason'];

/** Runners that are none: garbage, frames before the greeting, forged and reflected proofs, tokens of older generations, and a real one that sends nonsense. */
export class MalformedLink {
  constructor(
    private readonly port: number,
    private readonly key: string,
    private readonly target: LinkTarget,
  ) {}

  make(hostile: Hostile): LinkInput {
    const path = hostile.chance(0.95) ? '/runner' : hostile.pick(['/', '/runner/x', '/runner%00', '/socket.io/']);
    const greeting = hostile.chance(0.6) ? this.#hello(hostile) : { first: this.#message(hostile), holder: null };
    const proof = hostile.pick(['right', 'right', 'reflected', 'A'.repeat(43), hostile.text()]);
    return { path, ...greeting, proof, messages: Array.from({ length: hostile.below(4) }, () => this.#message(hostile)) };
  }

  fault(input: LinkInput): Promise<string | null> {
    const { path, first, messages } = input;
    return new Promise((resolve) => {
      const socket = new WebSocket(this.#url(path), { perMessageDeflate: false });
      let found: string | null = null;
      const timer = setTimeout(() => {
        found = `no answer within ${ANSWER_MS} ms`;
        socket.terminate();
      }, ANSWER_MS);
      socket.on('open', () => socket.send(first));
      socket.on('message', (data) => {
        const answer = JSON.parse(String(data)) as Answer;
        if (answer.kind === 'challenge') {
          for (const message of [this.#proof(input, answer), ...messages]) socket.send(message);
          return;
        }
        found ??= faultOfAnswer(answer);
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
        const isSmall = [first, ...messages].every((message) => message.length < 1_000_000);
        // Who holds the link is cut off as soon as the next one comes with a token as good.
        const abrupt = code === 1006 && path === '/runner' && isSmall && !(input.holder !== null && input.proof === 'right');
        const odd = code !== 1006 && !CLOSE_CODES.includes(code);
        resolve(found ?? (abrupt || odd ? `closed with ${code}` : null));
      });
    });
  }

  #url(path: string): string {
    return `ws://127.0.0.1:${this.port}${path}`;
  }

  #hello(hostile: Hostile): { first: string; holder: RunnerHandshake | null } {
    const { sessionId, sandboxId, generation } = this.target;
    const claims = {
      sandboxId: hostile.chance(0.7) ? sandboxId : hostile.text().slice(0, MAX_ID_CHARS),
      sessionId: hostile.chance(0.7) ? sessionId : hostile.text().slice(0, MAX_ID_CHARS),
      generation: hostile.pick([generation, generation, 0, generation + 1, -1, 2 ** 40]),
      expiresAt: Date.now() + hostile.pick([HOUR_MS, HOUR_MS, -1]),
    };
    const isForged = hostile.chance(0.3);
    const runner = new RunnerHandshake(signSandboxToken(claims, isForged ? 'another' : this.key), this.#url('/runner'));
    const broken = hostile.chance(0.2) ? { [hostile.pick(FIELDS)]: hostile.value() } : {};
    return { first: JSON.stringify({ kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...runner.hello, ...broken }), holder: isForged ? null : runner };
  }

  #proof({ proof, holder }: LinkInput, challenge: LinkChallenge): string {
    const own = proof === 'right' ? holder?.answer(challenge) : null;
    const text = proof === 'right' || proof === 'reflected' ? challenge.proof : proof;
    return JSON.stringify({ kind: 'proof', proof: own ?? text });
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
        return this.#hello(hostile).first;
      default:
        return hostile.json(FIELDS);
    }
  }
}

type Answer = ({ readonly kind: 'challenge' } & LinkChallenge) | { readonly kind: 'refused'; readonly reason: { readonly code: unknown; readonly message: unknown } } | { readonly kind: 'welcome' };

function faultOfAnswer(answer: Answer): string | null {
  return answer.kind === 'refused' ? faultOfDescription(answer.reason.code, answer.reason.message) : null;
}
