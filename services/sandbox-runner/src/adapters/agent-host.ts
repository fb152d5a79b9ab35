import type { Agent, AgentLaunch, AgentProcess } from '@bullpen/agent-port';
import type { Conversation } from '@bullpen/contracts';

import type { RunnerLog } from './runner-log.js';

/** Starts in advance between two prompts; after that the next prompt starts it. */
const MAX_WARM_STARTS = 3;

/** Keeps one agent process ready: started before it is needed, started again when it died. */
export class AgentHost {
  readonly #agent: Agent;
  readonly #launch: AgentLaunch;
  readonly #log: RunnerLog;
  #process: Promise<AgentProcess> | null = null;
  #live: AgentProcess | null = null;
  #prompted = false;
  #warmStarts = 0;
  #busy = false;
  #stopped = false;

  constructor(agent: Agent, launch: AgentLaunch, log: RunnerLog) {
    this.#agent = agent;
    this.#launch = launch;
    this.#log = log;
  }

  get pid(): number | null {
    return this.#live?.pid ?? null;
  }

  /** No prompt runs: the next one is to find the agent running. A failure shows itself when a prompt needs the agent. */
  warm(): void {
    this.#busy = false;
    if (this.#stopped || this.#process !== null || this.#warmStarts >= MAX_WARM_STARTS) return;
    this.#warmStarts += 1;
    this.get().catch((error: unknown) => this.#log.info('agent not started in advance', { error }));
  }

  /** The running process, or a new one. @throws what `Agent.start` throws */
  get(): Promise<AgentProcess> {
    this.#process ??= this.#start().catch((error: unknown) => {
      this.#process = null;
      throw error;
    });
    return this.#process;
  }

  /** What this prompt is to the agent: the first of its process, or a further one. */
  takePrompt(agent: AgentProcess): Conversation {
    this.#warmStarts = 0;
    this.#busy = true;
    const conversation = this.#prompted ? 'continued' : agent.conversation;
    this.#prompted = true;
    return conversation;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const agent = await this.#process?.catch(() => null);
    await agent?.stop();
  }

  async #start(): Promise<AgentProcess> {
    const began = performance.now();
    this.#prompted = false;
    const agent = await this.#agent.start(this.#launch);
    this.#live = agent;
    this.#log.info('agent started', {
      pid: agent.pid,
      conversation: agent.conversation,
      ms: Math.round(performance.now() - began),
    });
    void agent.exited.then(({ exitCode, signal }) => {
      this.#log.info('agent ended', { pid: agent.pid, exitCode, signal });
      this.#live = null;
      this.#process = null;
      if (!this.#busy) this.warm();
    });
    return agent;
  }
}
