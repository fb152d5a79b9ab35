import { randomUUID } from 'node:crypto';

import type { SessionEvent } from '@bullpen/contracts';

import { eventually } from '../platform.harness.js';
import type { ApiAnswer, TestPlatform } from '../platform.harness.js';
import { Watcher } from '../watcher.harness.js';
import { seededRandom } from './seeds.js';

const WORDS = 20;
/** What a tool leaves behind, in a session of its own: it must end with the turn, or with the agent. */
export const LEFT_BEHIND = 'sleep 7654';
const PROMPT = `write fault.txt: hi\nrun: setsid ${LEFT_BEHIND} >/dev/null 2>&1 & echo begun\nslow: ${WORDS}\nrun: sleep 1.5; echo done`;
const TOOL_CALLS = 3;
const QUEUED = 'say: second';
const DURING = 'say: third';
/** Events of the slow turn that come before its last tool call ends, when no two words fall into one chunk. */
const LAST_EVENT = 46;
const MAX_DELAY_MS = 50;
const MOMENT_MS = 60_000;
const COMMAND_PATIENCE_MS = 60_000;
const COMMAND_TIMEOUT_MS = 15_000;
const COMMAND_PAUSE_MS = 200;

/** Whatever a command answers while a part is away: done, come again, or no connection. */
interface Attempted {
  readonly status: number | 'no answer';
  readonly code: string;
}

export interface Acknowledged {
  readonly text: string;
  readonly promptId: string;
  readonly head: string;
}

export interface SlowTurnOptions {
  /** First event number that a seed may pick: what is to be killed must exist by then. */
  readonly firstEvent: number;
  /** How clients reach the platform, when not directly. */
  readonly url?: string;
}

/** A session with a slow turn, a queued second prompt and two connected clients, up to the moment that a seed picks. */
export class SlowTurn {
  readonly acknowledged: Acknowledged[] = [];
  /** Stays connected as long as it can. */
  readonly client: Watcher;
  /** Loses its connection at the moment of the fault and comes back by itself. */
  readonly leaver: Watcher;
  faultAt = 0;

  private constructor(
    readonly platform: TestPlatform,
    readonly id: string,
    readonly seed: number,
    options: SlowTurnOptions,
  ) {
    const through = { url: options.url ?? platform.url, token: platform.token };
    this.client = Watcher.follow(through, id);
    this.leaver = Watcher.follow(through, id);
  }

  /** Resolves at the seed's moment: so many milliseconds after so many events. */
  static async upTo(platform: TestPlatform, seed: number, options: SlowTurnOptions): Promise<SlowTurn> {
    const random = seededRandom(seed);
    const eventNumber = options.firstEvent + Math.floor(random() * (LAST_EVENT - options.firstEvent));
    const delayMs = Math.floor(random() * MAX_DELAY_MS);
    process.stderr.write(`  seed ${seed}: ${delayMs} ms after event ${eventNumber}\n`);
    const created = await platform.api<{ id: string; head: string }>('POST', '/sessions', { repository: 'sample', prompt: PROMPT });
    if (created.status !== 201) throw new Error(`session was not created: ${created.status} ${JSON.stringify(created.body)}`);
    const turn = new SlowTurn(platform, created.body.id, seed, options);
    await turn.#queue(QUEUED);
    const { client } = turn;
    // Words that fall into one chunk make fewer events: the tool call's end is the last moment that is surely inside the turn.
    await eventually(`event ${eventNumber}`, MOMENT_MS, () => client.events.length >= eventNumber || turn.#ranLastTool());
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    return turn;
  }

  get turnIds(): string[] {
    return this.client.events.filter(({ type }) => type === 'TurnStarted').map(({ data }) => String(data['turnId']));
  }

  /** The end of the slow turn, as the connected client saw it. */
  get end(): SessionEvent | undefined {
    return this.client.events.find(({ type }) => type === 'TurnEnded');
  }

  /** To be called right after the fault; a third prompt is sent until it is acknowledged. */
  async strike(fault: () => void): Promise<void> {
    fault();
    this.faultAt = Date.now();
    this.leaver.breakConnection();
    if (this.client.has('TurnEnded')) throw new Error(`seed ${this.seed}: the turn had ended before the fault`);
    await this.#queue(DURING);
  }

  /** Resolves once every prompt's turn has ended. */
  async ended(withinMs: number): Promise<void> {
    const ends = (): number => this.client.events.filter(({ type }) => type === 'TurnEnded').length;
    const seen = (): string => `${this.client.events.map(({ type }) => type).join(' ')}; ${this.client.faults.join(' ')}`;
    await eventually(() => `all ${this.acknowledged.length + 1} turns end; seen: ${seen()}`, withinMs, () => ends() === this.acknowledged.length + 1);
  }

  /** Milliseconds from the fault until the connected client saw the turn go on, or end when it was not to go on. */
  recoveryMs(outcome: string): number {
    const { faultAt, end } = this;
    const { events, arrivals } = this.client;
    const goesOn = (event: SessionEvent, index: number): boolean =>
      event.turnId === end?.turnId && Date.parse(event.at) >= faultAt && (arrivals[index] ?? 0) > faultAt && (outcome === 'completed' || event === end);
    const index = events.findIndex(goesOn);
    return index < 0 ? Infinity : (arrivals[index] ?? Infinity) - faultAt;
  }

  static promptTexts(): readonly string[] {
    return [PROMPT, QUEUED, DURING];
  }

  static slowText(): string {
    return `${Array.from({ length: WORDS }, (_, index) => `word${index + 1}`).join(' ')}\n`;
  }

  /** Under one Idempotency-Key, however often it takes; only "come again" and a cut connection are reasons for that. */
  async #queue(text: string): Promise<void> {
    const key = randomUUID();
    const deadline = Date.now() + COMMAND_PATIENCE_MS;
    let last: Attempted = { status: 'no answer', code: '' };
    while (Date.now() < deadline) {
      const answer = await this.#prompt(text, key).catch(() => null);
      if (answer?.status === 202) {
        this.acknowledged.push({ text, promptId: answer.body.promptId, head: answer.body.head });
        return;
      }
      if (answer) last = requireUnavailable(answer);
      await new Promise((resolve) => setTimeout(resolve, COMMAND_PAUSE_MS));
    }
    throw new Error(`prompt ${text} was not acknowledged within ${COMMAND_PATIENCE_MS} ms: ${JSON.stringify(last)}`);
  }

  #prompt(text: string, key: string): Promise<ApiAnswer<{ promptId: string; head: string; code?: string }>> {
    const answer = this.platform.api<{ promptId: string; head: string }>('POST', `/sessions/${this.id}/prompts`, { text }, { 'idempotency-key': key });
    return Promise.race([answer, new Promise<never>((_, reject) => setTimeout(reject, COMMAND_TIMEOUT_MS, new Error('no answer')).unref())]);
  }

  #ranLastTool(): boolean {
    return this.client.events.filter(({ type }) => type === 'ToolCallCompleted').length === TOOL_CALLS;
  }
}

/** @throws Error when a command was refused in any other way than by 503 `….unavailable` with Retry-After */
function requireUnavailable({ status, body, headers }: ApiAnswer<{ code?: string }>): Attempted {
  const code = body.code ?? '';
  if (status === 503 && /(^|\.)unavailable$/.test(code) && Number(headers.get('retry-after')) > 0) return { status, code };
  throw new Error(`a command during the fault got ${status} ${JSON.stringify(body)}, Retry-After ${headers.get('retry-after')}`);
}
