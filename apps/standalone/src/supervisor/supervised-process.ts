import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import type { ProcessSpec } from '@bullpen/embedded';
import { Fault } from '@bullpen/errors';

import { lastWords } from './last-words.js';
import type { LogFile } from './logs.js';
import { endProcess, identify, isAlive, type ProcessIdentity } from './processes.js';
import type { ProcessName } from './run-file.js';

/** What the supervisor must know about a program to keep it running. */
export interface Part {
  readonly name: ProcessName;
  /** What a person calls it. */
  readonly title: string;
  /** Before each start, the first one included. */
  prepare(): Promise<ProcessSpec>;
  /** Resolves once it serves; rejects when it does not in time. */
  ready(): Promise<void>;
  /** Of every part, before the first of them is stopped: what it can only do while the others still run. */
  beforeStop?(): Promise<void>;
  readonly stopSignal: NodeJS.Signals;
  readonly stopTimeoutMs: number;
}

export interface SupervisedProcessOptions {
  readonly log: LogFile;
  /** Called with the identity of each new process, and with null once none is left. */
  readonly record: (identity: ProcessIdentity | null) => void;
  /** A line for whoever watches. */
  readonly say: (line: string) => void;
  /** It died too often in a row. */
  readonly giveUp: (error: Fault) => void;
  /** What keeps it from being started again, such as a full disk: that is waited for, and is no failure of its own. */
  readonly obstacle: () => Error | null;
}

const START_FAILED = 'supervisor.start-failed';
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 8_000;
/** In a row: a process that served for STABLE_MS starts to count anew. */
const MAX_FAILURES = 6;
const STABLE_MS = 10_000;
const OBSTACLE_POLL_MS = 1_000;
const ADOPT_TIMEOUT_MS = 5_000;
/** How soon the end of a process that is nobody's child is noticed. */
const ADOPTED_POLL_MS = 200;

/** One child process, started again whenever it dies. */
export class SupervisedProcess {
  readonly #part: Part;
  readonly #options: SupervisedProcessOptions;
  #identity: ProcessIdentity | null = null;
  #failures = 0;
  #serves = false;
  readonly #stopping = new AbortController();
  #starting: Promise<void> = Promise.resolve();
  #adopted: Promise<void> = Promise.resolve();
  #restarting: Promise<void> = Promise.resolve();

  constructor(part: Part, options: SupervisedProcessOptions) {
    this.#part = part;
    this.#options = options;
  }

  get part(): Part {
    return this.#part;
  }

  get log(): LogFile {
    return this.#options.log;
  }

  /** Resolves once it serves. @throws Fault `supervisor.start-failed` with the last lines of its log; nothing of it then runs */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  /**
   * Takes over what a killed supervisor left running, so that nobody who is talking to it is cut off. Resolves to whether it serves; what
   * does not is ended, and `start` is then the way.
   */
  async adopt(identity: ProcessIdentity): Promise<boolean> {
    this.#identity = identity;
    const tooLate = delay(ADOPT_TIMEOUT_MS, false, { ref: false });
    const serves = isAlive(identity) && (await Promise.race([this.#part.ready().then(() => true), tooLate]).catch(() => false));
    if (!serves) await this.#end();
    else if (!this.#stopping.signal.aborted) this.#adopted = this.#watchAdopted(identity);
    this.#serves = serves;
    return serves;
  }

  /** Ends what serves and is not well; it is then started again as if it had died. Nothing when it does not serve, or something keeps it from coming back. */
  async restart(why: string): Promise<void> {
    if (!this.#serves || this.#identity === null || this.#options.obstacle() !== null) return;
    this.#serves = false;
    this.#options.say(`${this.#part.title} is started anew: ${why}`);
    await endProcess(this.#identity, this.#part.stopSignal, this.#part.stopTimeoutMs);
  }

  /** Ends it and keeps it ended. Resolves once nothing of it runs. */
  async stop(): Promise<'gone' | 'killed' | 'stuck'> {
    this.#stopping.abort();
    const outcome = await this.#end();
    await Promise.allSettled([this.#starting, this.#adopted, this.#restarting]);
    return outcome;
  }

  async #start(): Promise<void> {
    const spec = await this.#part.prepare();
    this.#stopping.signal.throwIfAborted();
    this.#options.log.rotate();
    const child = this.#spawn(spec);
    await once(child, 'spawn');
    const exited = once(child, 'exit').then(([code, signal]) => {
      throw this.#startFault(`ended with ${String(signal ?? `exit code ${String(code)}`)}`);
    });
    try {
      await Promise.race([this.#part.ready(), exited]);
    } catch (error) {
      await this.#end();
      throw isStartFault(error) ? error : this.#startFault(error instanceof Error ? error.message : String(error), error);
    } finally {
      exited.catch(() => undefined);
    }
    this.#serves = true;
    this.#watch(child);
  }

  #spawn({ command, args, env }: ProcessSpec): ChildProcess {
    const output = this.#options.log.open();
    const { PATH, HOME } = process.env;
    // In a session of its own: Ctrl-C in the terminal must reach the supervisor alone, which ends things in order.
    const child = spawn(command, [...args], { detached: true, stdio: ['ignore', output, output], env: { PATH, HOME, ...env } });
    closeSync(output);
    this.#identity = child.pid === undefined ? null : identify(child.pid);
    this.#options.record(this.#identity);
    return child;
  }

  #watch(child: ChildProcess): void {
    const since = Date.now();
    const died = (code: number | null, signal: NodeJS.Signals | null): void => this.#died(signal ?? `exit code ${String(code)}`, since);
    if (child.exitCode !== null || child.signalCode !== null) died(child.exitCode, child.signalCode);
    else child.once('exit', died);
  }

  async #watchAdopted(identity: ProcessIdentity): Promise<void> {
    const since = Date.now();
    while (isAlive(identity) && !this.#stopping.signal.aborted) await delay(ADOPTED_POLL_MS);
    this.#died('taken over from the last supervisor', since);
  }

  #died(how: string, since: number): void {
    this.#serves = false;
    if (this.#stopping.signal.aborted) return;
    if (Date.now() - since > STABLE_MS) this.#failures = 0;
    this.#options.say(`${this.#part.title} died (${how}), starting it again`);
    this.#restarting = this.#startAgain();
  }

  async #startAgain(): Promise<void> {
    const { signal } = this.#stopping;
    const began = Date.now();
    while (!signal.aborted) {
      this.#failures += 1;
      try {
        await delay(Math.min(FIRST_BACKOFF_MS * 2 ** (this.#failures - 1), MAX_BACKOFF_MS), undefined, { signal });
        await this.#withoutObstacle();
        await this.start();
        return this.#options.say(`${this.#part.title} is back after ${Date.now() - began} ms`);
      } catch (error) {
        if (signal.aborted) return;
        // It failed on what is waited for next.
        if (this.#options.obstacle() !== null) this.#failures = 0;
        if (this.#failures >= MAX_FAILURES) return this.#options.giveUp(isStartFault(error) ? error : this.#startFault(String(error), error));
      }
    }
  }

  async #withoutObstacle(): Promise<void> {
    const { signal } = this.#stopping;
    const { obstacle, say } = this.#options;
    const first = obstacle();
    if (first === null) return;
    say(`${this.#part.title} waits: ${first.message}`);
    while (obstacle() !== null) await delay(OBSTACLE_POLL_MS, undefined, { signal });
  }

  async #end(): Promise<'gone' | 'killed' | 'stuck'> {
    const outcome = this.#identity === null ? 'gone' : await endProcess(this.#identity, this.#part.stopSignal, this.#part.stopTimeoutMs);
    if (outcome !== 'stuck') this.#options.record(null);
    return outcome;
  }

  #startFault(what: string, cause?: unknown): Fault {
    const words = lastWords(this.#options.log.tail()).replaceAll(/^/gm, '  ');
    const message = `${this.#part.title} does not start: ${what}. It said:\n${words}\nThe whole log: ${this.#options.log.path}`;
    return new Fault(START_FAILED, message, { cause });
  }
}

/** It has the last words in it already. */
function isStartFault(error: unknown): error is Fault {
  return error instanceof Fault && error.code === START_FAILED;
}
