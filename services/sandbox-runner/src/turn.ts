import { createHash } from 'node:crypto';

import { AgentStartFault } from '@bullpen/agent-port';
import type { AgentEvent, AgentExit, AgentProcess, AgentTurnResult } from '@bullpen/agent-port';
import type { OrchestratorMessage, Reason, RunnerEvent, RunnerSpec } from '@bullpen/contracts';
import { describeError } from '@bullpen/errors';

import type { AgentHost } from './adapters/agent-host.js';
import { ChangedFilesReport } from './adapters/changed-files.js';
import type { CheckpointPlace } from './adapters/checkpoint.js';
import { makeCheckpoint } from './adapters/checkpoint.js';
import type { RunnerLink } from './adapters/link.js';
import { killBackground } from './adapters/processes.js';
import { Reporter } from './adapters/reporter.js';
import type { RunnerLog } from './adapters/runner-log.js';
import type { Spool } from './adapters/spool.js';
import { lastChars, shorten } from './core/clipping.js';
import type { Redactor } from './core/redactor.js';
import type { TextCoalescer } from './core/text-coalescer.js';
import { TurnFrames } from './core/turn-frames.js';

export type Prompt = Extract<OrchestratorMessage, { kind: 'prompt' }>;

/** What the turns of one runner share. */
export interface TurnContext {
  readonly spec: RunnerSpec;
  readonly modelKey: string | null;
  readonly host: AgentHost;
  readonly spool: Spool;
  readonly link: RunnerLink;
  readonly redactor: Redactor;
  readonly coalescer: TextCoalescer;
  readonly log: RunnerLog;
  /** Where the next checkpoint goes on from. */
  place: CheckpointPlace;
  files: string;
}

/** How long an interrupted agent may take before it is killed; a cancelled turn stands still within 1 s. */
const INTERRUPT_GRACE_MS = 600;
const MAX_STDERR_CHARS = 4_000;
const MAX_REASON_CHARS = 1_900;
/** Tools that leave the tree alone. */
const READ_ONLY_TOOLS: ReadonlySet<string> = new Set(['read', 'grep', 'find', 'ls']);
const NEVER_STARTED: AgentExit = { exitCode: -1, signal: '', stderr: '' };
const CANCELLED: Reason = { code: 'turn.cancelled', message: 'The turn was cancelled. What it changed so far is kept.' };

/**
 * One attempt at one prompt. Its frames: AgentStarted, acknowledged before the agent gets the prompt; what the agent does;
 * AgentFailed when its process ended; CheckpointCreated; AgentTurnFinished, always last.
 */
export class Turn {
  readonly #context: TurnContext;
  readonly #prompt: Prompt;
  readonly #reporter: Reporter;
  readonly #frames: TurnFrames;
  readonly #files: ChangedFilesReport;
  readonly #toolNames = new Map<string, string>();
  readonly #cancelled = new AbortController();
  #agent: AgentProcess | null = null;
  #prompting = false;
  #dueTimer: NodeJS.Timeout | null = null;

  constructor(context: TurnContext, prompt: Prompt) {
    const { spool, link, redactor, coalescer, place, log } = context;
    this.#context = context;
    this.#prompt = prompt;
    this.#reporter = new Reporter(spool, link, prompt.turnId);
    this.#frames = new TurnFrames({ redactor, coalescer, sha256: (text) => createHash('sha256').update(text).digest('hex') });
    const report = (event: RunnerEvent) => this.#report(event);
    this.#files = new ChangedFilesReport({ workspace: place.workspace, base: place.base, redactor, report, log }, context.files);
  }

  get id(): { turnId: string; attempt: number } {
    return { turnId: this.#prompt.turnId, attempt: this.#prompt.attempt };
  }

  /** Resolves once AgentTurnFinished is spooled. */
  async run(): Promise<void> {
    const result = await this.#runAgent();
    await this.#endBackground();
    this.#clearDueTimer();
    await this.#reporter.report(this.#frames.end(performance.now()));
    if (result.reason?.code === 'agent.crashed' && this.#agent) await this.#reportFailure(await this.#agent.exited, result.reason);
    const checkpointFailure = await this.#checkpoint();
    await this.#finish(result, checkpointFailure);
  }

  /** Repeatable. The turn then ends `cancelled`, with a checkpoint. */
  cancel(): void {
    if (this.#cancelled.signal.aborted) return;
    this.#cancelled.abort();
    this.#frames.cancel();
    if (this.#prompting) this.#interrupt();
  }

  async #runAgent(): Promise<AgentTurnResult> {
    const started = await this.#startAgent();
    const agent = started instanceof Error ? null : started;
    const conversation = agent ? this.#context.host.takePrompt(agent) : 'new';
    const { name, model } = this.#context.spec.agent;
    const n = await this.#report({ type: 'AgentStarted', data: { ...this.id, agent: name, model, conversation } });
    await Promise.race([this.#context.spool.acknowledged(n), aborted(this.#cancelled.signal)]);
    if (this.#cancelled.signal.aborted) return { outcome: 'cancelled', reason: CANCELLED };
    if (agent) return this.#promptAgent(agent);
    const reason = this.#reasonOf(started);
    await this.#reportFailure(started instanceof AgentStartFault ? started.exit : NEVER_STARTED, reason);
    return { outcome: 'failed', reason };
  }

  async #startAgent(): Promise<AgentProcess | Error> {
    try {
      return await this.#context.host.get();
    } catch (error) {
      this.#context.log.error('agent not started', { error });
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #promptAgent(agent: AgentProcess): Promise<AgentTurnResult> {
    this.#agent = agent;
    this.#prompting = true;
    const result = await agent.prompt({ text: this.#prompt.text }, (event) => this.#onEvent(event));
    this.#prompting = false;
    return this.#cancelled.signal.aborted ? { outcome: 'cancelled', reason: CANCELLED } : result;
  }

  async #onEvent(event: AgentEvent): Promise<void> {
    if (!this.#prompting) return;
    const frames = this.#frames.read(event, performance.now());
    this.#scheduleDue();
    if (event.kind === 'toolStarted') this.#toolNames.set(event.toolCallId, event.name);
    if (event.kind === 'toolCompleted' && !READ_ONLY_TOOLS.has(this.#toolNames.get(event.toolCallId) ?? '')) this.#files.touch();
    await this.#reporter.report(frames);
  }

  #scheduleDue(): void {
    this.#clearDueTimer();
    const dueAtMs = this.#frames.dueAtMs;
    if (dueAtMs === null) return;
    const takeDue = () => {
      this.#reporter
        .report(this.#frames.takeDue(performance.now()))
        .catch((error: unknown) => this.#context.log.error('frames not spooled', { error }));
      this.#scheduleDue();
    };
    this.#dueTimer = setTimeout(takeDue, Math.max(1, Math.ceil(dueAtMs - performance.now())));
  }

  #clearDueTimer(): void {
    if (this.#dueTimer) clearTimeout(this.#dueTimer);
    this.#dueTimer = null;
  }

  #interrupt(): void {
    const agent = this.#agent;
    if (!agent) return;
    void agent.interrupt();
    const kill = setTimeout(() => {
      if (!this.#prompting) return;
      this.#context.log.info('agent did not stop in time', { pid: agent.pid });
      killProcess(agent.pid);
    }, INTERRUPT_GRACE_MS);
    kill.unref();
  }

  async #endBackground(): Promise<void> {
    const { spec, host, log } = this.#context;
    const left = await killBackground({ sandboxId: spec.sandboxId, agentPid: host.pid });
    if (left > 0) log.error('background processes survive', { left });
  }

  async #reportFailure({ exitCode, signal, stderr }: AgentExit, reason: Reason): Promise<void> {
    const lines = lastChars(this.#context.redactor.text(stderr), MAX_STDERR_CHARS);
    await this.#report({
      type: 'AgentFailed',
      data: { ...this.id, exitCode, signal, reason: this.#clean(reason), stderr: lines },
    });
  }

  /** Null when it was made. */
  async #checkpoint(): Promise<Reason | null> {
    const context = this.#context;
    const prompt = context.redactor.text(this.#prompt.text);
    await this.#files.settle();
    context.files = this.#files.state;
    try {
      const made = await makeCheckpoint(context.place, { ...this.id, author: this.#prompt.author, prompt }, context);
      await this.#report(made.event);
      context.place = { ...context.place, parent: made.sha };
      return null;
    } catch (error) {
      context.log.error('checkpoint not made', { error });
      return this.#reasonOf(error);
    }
  }

  async #finish({ outcome, reason }: AgentTurnResult, checkpointFailure: Reason | null): Promise<void> {
    const failure = checkpointFailure !== null && outcome === 'completed' ? checkpointFailure : null;
    const why = failure ?? reason;
    const data = { ...this.id, outcome: failure ? ('failed' as const) : outcome, ...(why ? { reason: this.#clean(why) } : {}) };
    await this.#report({ type: 'AgentTurnFinished', data });
    this.#context.log.info('turn finished', { outcome: data.outcome, code: why?.code });
  }

  #report(event: RunnerEvent): Promise<number> {
    return this.#reporter.report([{ event, objects: [] }]);
  }

  #reasonOf(error: unknown): Reason {
    const { code, message } = describeError(error);
    return this.#clean({ code, message });
  }

  #clean({ code, message }: Reason): Reason {
    return { code, message: shorten(this.#context.redactor.text(message), MAX_REASON_CHARS) };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended meanwhile.
  }
}
