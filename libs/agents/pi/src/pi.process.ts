import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { AgentStartFault } from '@bullpen/agent-port';
import type { AgentEvent, AgentExit, AgentProcess, AgentPrompt, AgentTurnResult } from '@bullpen/agent-port';
import { assert } from '@bullpen/errors';

import { readJsonLines } from './json-lines.js';
import { PiPromptReader } from './pi.records.js';

const START_TIMEOUT_MS = 30_000;
/** How long pi may take to end by itself once its input is closed. */
const STOP_GRACE_MS = 500;
/** A pipe that a child of pi still holds must not hide pi's end. */
const DRAIN_MS = 250;
const STDERR_CHARS = 4 * 1024;
const STATE_REQUEST = 'state';
const PROMPT_REQUEST = 'prompt';

type PiRecord = Readonly<Record<string, unknown>>;

interface RunningPrompt {
  readonly reader: PiPromptReader;
  readonly onEvent: (event: AgentEvent) => void | Promise<void>;
  readonly finish: (result: AgentTurnResult) => void;
  interrupted: boolean;
}

/** One pi process. A single loop reads its records in order and waits for each `onEvent`: a slow reader slows pi. */
export class PiProcess implements AgentProcess {
  readonly exited: Promise<AgentExit>;
  readonly pid: number;

  readonly #child: ChildProcessWithoutNullStreams;
  #stderr = '';
  #running: RunningPrompt | null = null;
  #ended: AgentExit | null = null;
  #onState: () => void = () => undefined;

  /** @throws AgentStartFault when pi ends or stays silent before it accepts prompts. */
  static async begin(child: ChildProcessWithoutNullStreams, conversation: AgentProcess['conversation']): Promise<PiProcess> {
    const pi = new PiProcess(child, conversation);
    await pi.#firstState();
    return pi;
  }

  private constructor(
    child: ChildProcessWithoutNullStreams,
    readonly conversation: AgentProcess['conversation'],
  ) {
    this.#child = child;
    this.pid = child.pid ?? -1;
    child.stdin.on('error', () => undefined);
    child.stderr.setEncoding('utf8').on('data', (text: string) => this.#note(text));
    // Records that cannot be passed on are lost with the process: its end is then the prompt's end.
    const read = this.#readRecords().catch((error: unknown) => {
      this.#note(`(records not read: ${String(error)})\n`);
      child.kill('SIGKILL');
    });
    this.exited = this.#exit(read);
  }

  prompt({ text }: AgentPrompt, onEvent: RunningPrompt['onEvent']): Promise<AgentTurnResult> {
    assert(this.#running === null, 'pi was prompted while a prompt runs.');
    const ended = this.#ended;
    if (ended) return Promise.resolve(crashResult(ended));
    return new Promise((resolve) => {
      const finish = (result: AgentTurnResult) => {
        this.#running = null;
        resolve(result);
      };
      this.#running = { reader: new PiPromptReader(), onEvent, finish, interrupted: false };
      // A leading slash would make it a command of pi's own.
      this.#send({ id: PROMPT_REQUEST, type: 'prompt', message: text.startsWith('/') ? ` ${text}` : text });
    });
  }

  interrupt(): Promise<void> {
    if (this.#running === null || this.#running.interrupted) return Promise.resolve();
    this.#running.interrupted = true;
    this.#send({ type: 'abort' });
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    if (this.#ended) return;
    this.#child.stdin.end();
    await Promise.race([this.exited, delay(STOP_GRACE_MS, undefined, { ref: false })]);
    if (!this.#ended) this.#child.kill('SIGKILL');
    await this.exited;
  }

  async #firstState(): Promise<void> {
    const answer = new Promise<'ready'>((resolve) => (this.#onState = () => resolve('ready')));
    this.#send({ id: STATE_REQUEST, type: 'get_state' });
    const state = await Promise.race([answer, this.exited, delay(START_TIMEOUT_MS, null, { ref: false })]);
    if (state === 'ready') return;
    this.#child.kill('SIGKILL');
    const exit = await this.exited;
    const why = state === null ? `did not answer within ${START_TIMEOUT_MS} ms` : `ended ${howEnded(exit)}`;
    throw new AgentStartFault(`pi ${why} before it accepted prompts. Mend that; the next prompt starts it again.`, exit);
  }

  async #readRecords(): Promise<void> {
    for await (const record of readJsonLines(this.#child.stdout, (why) => this.#note(`(${why})\n`))) {
      if (record['type'] === 'response') this.#response(record);
      else if (this.#running) await this.#promptRecord(this.#running, record);
    }
  }

  #response(record: PiRecord): void {
    if (record['id'] === STATE_REQUEST) this.#onState();
    if (record['id'] !== PROMPT_REQUEST || record['success'] !== false) return;
    const message = `pi did not accept the prompt: ${String(record['error'] ?? '').slice(0, 500)}`;
    this.#running?.finish({ outcome: 'failed', reason: { code: 'agent.prompt-refused', message } });
  }

  async #promptRecord(running: RunningPrompt, record: PiRecord): Promise<void> {
    for (const event of running.reader.read(record)) await running.onEvent(event);
    // An abort that overtook the start of the prompt aborted nothing.
    if (running.interrupted && record['type'] === 'agent_start') this.#send({ type: 'abort' });
    if (running.reader.settled && running.reader.started) running.finish(running.reader.result(running.interrupted));
  }

  async #exit(read: Promise<void>): Promise<AgentExit> {
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
      this.#child.once('error', (error) => {
        this.#note(`${error.message}\n`);
        resolve([null, null]);
      });
      this.#child.once('exit', (...ended) => resolve(ended));
    });
    await Promise.race([read, delay(DRAIN_MS, undefined, { ref: false })]);
    const exit: AgentExit = { exitCode: code ?? -1, signal: signal ?? '', stderr: this.#stderr };
    this.#ended = exit;
    const running = this.#running;
    running?.finish(running.interrupted ? running.reader.result(true) : crashResult(exit));
    return exit;
  }

  #note(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-STDERR_CHARS);
  }

  #send(command: Record<string, unknown>): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }
}

function howEnded({ exitCode, signal, stderr }: AgentExit): string {
  const lastLine = stderr.trim().split('\n').at(-1) ?? '';
  return `${signal === '' ? `with exit code ${exitCode}` : `by ${signal}`}${lastLine === '' ? '' : `: ${lastLine.slice(0, 500)}`}`;
}

function crashResult(exit: AgentExit): AgentTurnResult {
  const message = `The agent's process ended ${howEnded(exit)}. The next prompt starts it again.`;
  return { outcome: 'failed', reason: { code: 'agent.crashed', message } };
}
