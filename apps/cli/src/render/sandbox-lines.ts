import type { SandboxEventData, SandboxStage } from '@bullpen/contracts';

import { between, duration } from './format.js';
import type { Page } from './page.js';
import type { Style } from './style.js';
import { fit, neutralLine, outputLines } from './terminal-text.js';

/** Last lines of a sandbox's own log, shown when it fails. */
const LOG_LINES = 8;
const LOG_INDENT = '  │ ';
const STAGE_COLUMNS = 14;

/** The stages of a sandbox with the time since it was requested, and what goes wrong with it. */
export class SandboxLines {
  #requestedAt = '';
  #generation = 0;
  #lastStage: SandboxStage | null = null;

  constructor(
    private readonly page: Page,
    private readonly style: Style,
  ) {}

  request({ generation, driver, isolation, attempt }: SandboxEventData['SandboxRequested'], at: string): void {
    this.#requestedAt = at;
    this.#generation = generation;
    this.#lastStage = 'requested';
    this.#enter();
    const again = attempt > 1 ? `, attempt ${attempt}` : '';
    this.page.line(`${this.style.cyan('◦')} sandbox ${generation} ${this.style.dim(`requested (${driver}, ${isolation}${again})`)}`);
  }

  enterStage({ stage, generation, startedAt, reason }: SandboxEventData['SandboxStageEntered']): void {
    // Stages are level-based and may be repeated.
    if (stage === this.#lastStage && generation === this.#generation) return;
    this.#generation = generation;
    this.#lastStage = stage;
    switch (stage) {
      case 'provisioning':
      case 'restoring':
      case 'syncing':
      case 'ready':
        return this.#stageLine(stage, startedAt);
      case 'failed':
        return this.#failed(`sandbox ${generation} failed`, reason?.message ?? '');
      // Said by an event of their own, or by what the agent does.
      case 'requested':
      case 'running':
      case 'idle':
      case 'stopped':
      case 'lost':
        return;
    }
  }

  failSpawn({ attempt, reason, logTail, retryAt }: SandboxEventData['SandboxSpawnFailed']): void {
    const next = retryAt === '' ? 'no attempt is left' : 'trying again';
    this.#failed(`sandbox did not start (attempt ${attempt}, ${next})`, reason.message);
    this.#log(logTail);
  }

  lose({ generation, reason, logTail }: SandboxEventData['SandboxLost']): void {
    this.#lastStage = 'lost';
    this.#failed(`sandbox ${generation} was lost`, reason.message);
    this.#log(logTail);
  }

  stop({ generation, reason }: SandboxEventData['SandboxStopped']): void {
    this.#lastStage = 'stopped';
    this.#enter();
    this.page.line(this.style.dim(`◦ sandbox ${generation} stopped: ${neutralLine(reason.message)}`));
  }

  #stageLine(stage: SandboxStage, startedAt: string): void {
    this.#enter();
    const since = this.#requestedAt === '' ? '' : `+${duration(between(this.#requestedAt, startedAt))}`;
    const name = stage.padEnd(STAGE_COLUMNS);
    this.page.line(`  ${stage === 'ready' ? this.style.green(name) : name}${this.style.dim(since)}`.trimEnd());
  }

  #failed(what: string, why: string): void {
    this.#enter();
    this.page.line(this.style.red(`✗ ${what}${why === '' ? '' : `: ${neutralLine(why)}`}`));
  }

  #log(logTail: string): void {
    if (logTail === '') return;
    const room = this.page.width === null ? null : this.page.width - LOG_INDENT.length;
    for (const line of outputLines(logTail).slice(-LOG_LINES)) this.page.line(this.style.dim(`${LOG_INDENT}${fit(line, room)}`));
  }

  #enter(): void {
    this.page.enter('sandbox');
  }
}
