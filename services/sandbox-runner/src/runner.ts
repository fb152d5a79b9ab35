import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';

import type { Agent } from '@bullpen/agent-port';
import type { Reason, RunnerSpec, RunnerStage } from '@bullpen/contracts';
import { HEARTBEAT_INTERVAL_MS, RUNNER_EXIT, SANDBOX_ID_VARIABLE } from '@bullpen/contracts';
import { describeError } from '@bullpen/errors';
import { changedFiles, cloneWorkspace } from '@bullpen/scm';

import { AgentHost } from './adapters/agent-host.js';
import { NO_CHANGES } from './adapters/changed-files.js';
import type { CheckpointPlace } from './adapters/checkpoint.js';
import { RunnerLink } from './adapters/link.js';
import type { Told } from './adapters/link.js';
import { killBackground } from './adapters/processes.js';
import type { RunnerLog } from './adapters/runner-log.js';
import { Spool } from './adapters/spool.js';
import { shorten } from './core/clipping.js';
import type { Redactor } from './core/redactor.js';
import { TextCoalescer } from './core/text-coalescer.js';
import type { Prompt, TurnContext } from './turn.js';
import { Turn } from './turn.js';

export interface RunnerOptions {
  readonly spec: RunnerSpec;
  readonly modelKey: string | null;
  readonly agent: Agent;
  /** What the agent inherits. */
  readonly environment: Readonly<Record<string, string>>;
  readonly redactor: Redactor;
  readonly log: RunnerLog;
  readonly reconnectMs?: number;
}

const STOP_DRAIN_MS = 5_000;
const FAILURE_SEND_MS = 30_000;
const MAX_REASON_CHARS = 1_900;

/** The program inside a sandbox: makes the workspace ready, then runs the prompts it is sent, one at a time. */
export class Runner {
  readonly #options: RunnerOptions;
  readonly #spool: Spool;
  readonly #link: RunnerLink;
  readonly #coalescer: TextCoalescer;
  readonly #ended = new AbortController();
  readonly #begun = new Set<string>();
  #stage: { readonly name: RunnerStage; readonly since: string } = { name: 'restoring', since: new Date().toISOString() };
  #context: TurnContext | null = null;
  #turn: Turn | null = null;
  #turnDone: Promise<void> = Promise.resolve();
  #waiting: Prompt | null = null;
  #stopping = false;
  #exit: (code: number) => void = () => undefined;

  static async create(options: RunnerOptions): Promise<Runner> {
    return new Runner(options, await Spool.open(options.spec.paths.spool));
  }

  private constructor(options: RunnerOptions, spool: Spool) {
    this.#options = options;
    this.#spool = spool;
    spool.onDiskFull = (error) => options.log.error('frames wait: the disk is full', { error });
    this.#coalescer = new TextCoalescer(options.spec.generation);
    this.#link = new RunnerLink({
      spec: options.spec,
      spool,
      log: options.log,
      heartbeat: () => ({ stage: this.#stage.name, since: this.#stage.since, turn: this.#turn?.id ?? null }),
      onMessage: (message) => this.#onMessage(message),
      onLost: () => this.#end(RUNNER_EXIT.linkLost, 'no orchestrator'),
      onAcknowledged: (elapsedMs) => this.#coalescer.acknowledgedAfter(elapsedMs),
      ...(options.reconnectMs === undefined ? {} : { reconnectMs: options.reconnectMs }),
    });
  }

  /** Resolves to the exit code (`RUNNER_EXIT`), with everything that was started ended. */
  async run(): Promise<number> {
    const exit = new Promise<number>((resolve) => (this.#exit = resolve));
    this.#link.connect();
    const heartbeat = setInterval(() => this.#link.heartbeat(), HEARTBEAT_INTERVAL_MS);
    void this.#prepare();
    const code = await exit;
    clearInterval(heartbeat);
    await this.#cleanUp();
    return code;
  }

  /** Cancels the turn, makes its checkpoint, ends with 0. */
  async stop(why: string): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#waiting = null;
    this.#turn?.cancel();
    await this.#turnDone;
    await Promise.race([this.#spool.acknowledged(this.#spool.lastN), delay(STOP_DRAIN_MS, undefined, { ref: false })]);
    this.#end(RUNNER_EXIT.stopped, why);
  }

  async #prepare(): Promise<void> {
    const { agent, log } = this.#options;
    try {
      const place = await this.#restore();
      this.#enter('syncing');
      // Also reads the whole tree once, so that later looks at it are quick.
      const changes = await changedFiles({ workspace: place.workspace, base: place.base, signal: this.#ended.signal });
      const host = new AgentHost(agent, await this.#launch(), log);
      this.#context = this.#contextOf(host, place, changes.total === 0 ? NO_CHANGES : '');
      this.#enter('ready');
      host.warm();
      this.#next();
    } catch (error) {
      if (this.#ended.signal.aborted) return;
      log.error('workspace not ready', { error });
      await this.#link.fail(this.#reasonOf(error), FAILURE_SEND_MS);
      this.#end(RUNNER_EXIT.workspaceFailed, 'workspace not ready');
    }
  }

  async #restore(): Promise<CheckpointPlace> {
    const { sessionId, repository, sourcePath, checkpoint, paths } = this.#options.spec;
    const { source, branch } = repository;
    const { workspace, home } = paths;
    const signal = this.#ended.signal;
    const { base, parent } = await cloneWorkspace({ source, sourcePath, branch, workspace, sessionId, checkpoint, home, signal });
    return { sessionId, workspace, base, parent };
  }

  async #launch() {
    const { spec, modelKey } = this.#options;
    const { model, modelProvider, baseUrl } = spec.agent;
    const { home, workspace } = spec.paths;
    const transcript = spec.transcriptPath === null ? null : await readFile(spec.transcriptPath, 'utf8');
    const own = { HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', [SANDBOX_ID_VARIABLE]: spec.sandboxId };
    const environment = { ...this.#options.environment, ...own };
    return { cwd: workspace, home, model, modelProvider, baseUrl, apiKey: modelKey, environment, resume: true, transcript };
  }

  #contextOf(host: AgentHost, place: CheckpointPlace, files: string): TurnContext {
    const { spec, modelKey, redactor, log } = this.#options;
    const link = this.#link;
    return {
      spec,
      modelKey,
      host,
      spool: this.#spool,
      link,
      redactor,
      coalescer: this.#coalescer,
      log,
      place,
      files,
    };
  }

  #onMessage(message: Told): void {
    switch (message.kind) {
      case 'prompt':
        return this.#onPrompt(message);
      case 'cancel':
        return this.#onCancel(message.turnId);
      case 'stop':
        return void this.stop(message.reason.code);
      case 'refused':
        return this.#end(RUNNER_EXIT.refused, message.reason.code);
    }
  }

  #onPrompt(prompt: Prompt): void {
    if (this.#stopping || this.#begun.has(keyOf(prompt))) return;
    this.#waiting = prompt;
    this.#next();
  }

  #onCancel(turnId: string): void {
    if (this.#turn?.id.turnId === turnId) return this.#turn.cancel();
    if (this.#waiting?.turnId !== turnId) return;
    // It never began here: the session ends such a turn by itself.
    this.#begun.add(keyOf(this.#waiting));
    this.#waiting = null;
  }

  #next(): void {
    const prompt = this.#waiting;
    if (!prompt || !this.#context || this.#turn || this.#ended.signal.aborted) return;
    this.#waiting = null;
    this.#begun.add(keyOf(prompt));
    const { turnId, attempt, traceparent } = prompt;
    this.#options.log.during({ turnId, attempt, traceparent });
    this.#turn = new Turn(this.#context, prompt);
    this.#enter('running');
    this.#turnDone = this.#runTurn(this.#turn, this.#context);
  }

  async #runTurn(turn: Turn, context: TurnContext): Promise<void> {
    try {
      await turn.run();
    } catch (error) {
      // Nothing is right any more when frames cannot be kept: the sandbox is replaced.
      this.#options.log.error('turn broke', { error });
      return this.#end(RUNNER_EXIT.crashed, 'turn broke');
    }
    this.#turn = null;
    this.#options.log.during(null);
    this.#enter('idle');
    context.host.warm();
    this.#next();
  }

  #enter(name: RunnerStage): void {
    this.#stage = { name, since: new Date().toISOString() };
    this.#options.log.info('stage entered', { stage: name });
    this.#link.heartbeat();
  }

  #end(code: number, why: string): void {
    if (this.#ended.signal.aborted) return;
    this.#options.log.info('runner ends', { code, why });
    this.#ended.abort();
    this.#exit(code);
  }

  async #cleanUp(): Promise<void> {
    await this.#context?.host.stop();
    await killBackground({ sandboxId: this.#options.spec.sandboxId, agentPid: null });
    this.#link.close();
  }

  #reasonOf(error: unknown): Reason {
    const { code, message } = describeError(error);
    return { code, message: shorten(this.#options.redactor.text(message), MAX_REASON_CHARS) };
  }
}

function keyOf({ turnId, attempt }: Prompt): string {
  return `${turnId} ${attempt}`;
}
