import type { AgentEventData, CoreEventData, FileChange, PlanEntry, PlanStatus, Reason, TurnOutcome } from '@bullpen/contracts';

import { between, changes, count, counted, dollars, duration } from './format.js';
import type { Page } from './page.js';
import type { Style } from './style.js';
import { neutralLine, neutralise, outputLines } from './terminal-text.js';

const PROMPT_LINES = 20;
const STDERR_LINES = 8;
const FILE_LINES = 30;
const SHA_CHARS = 10;
/** Prompts remembered for the turn that starts with them. */
const MAX_PROMPTS = 1_000;

interface Prompt {
  readonly text: string;
  readonly author: string;
}

interface Pushed {
  readonly branch: string;
  readonly sha: string;
}

interface Refusal {
  readonly reason: Reason;
  readonly sessionId: string;
}

interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly costUsd: number;
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, costUsd: 0 };

/** A turn's beginning, its result, and its final line, which waits for the push when there is something to push. */
export class TurnLines {
  readonly #prompts = new Map<string, Prompt>();
  #isRunning = false;
  #startedAt = '';
  #usage = NO_USAGE;
  #files: AgentEventData['FilesChanged'] | null = null;
  #checkpoint: AgentEventData['CheckpointCreated'] | null = null;
  #pushedSha = '';
  #latePush: { readonly pushed: Pushed; readonly refusal: Refusal | null } | null = null;
  #finalLine: string | null = null;

  constructor(
    private readonly page: Page,
    private readonly style: Style,
  ) {}

  get isSettled(): boolean {
    return this.#finalLine === null;
  }

  learnPrompt(promptId: string, prompt: Prompt): void {
    const oldest = this.#prompts.size < MAX_PROMPTS ? undefined : this.#prompts.keys().next().value;
    if (oldest !== undefined) this.#prompts.delete(oldest);
    this.#prompts.set(promptId, prompt);
  }

  queuePrompt(promptId: string, prompt: Prompt): void {
    this.learnPrompt(promptId, prompt);
    // Without a running turn its own turn starts in the same append, with the prompt as its heading.
    if (!this.#isRunning) return;
    this.page.enter('queue');
    const [first = ''] = outputLines(prompt.text);
    this.page.line(this.style.dim(`+ queued by ${neutralLine(prompt.author)}: ${first}`));
  }

  editPrompt({ promptId, text }: CoreEventData['PromptEdited']): void {
    const prompt = this.#prompts.get(promptId);
    if (prompt !== undefined) this.#prompts.set(promptId, { ...prompt, text });
  }

  start({ promptId, attempt }: CoreEventData['TurnStarted'], at: string): void {
    this.settle();
    this.#isRunning = true;
    this.#startedAt = at;
    this.#usage = NO_USAGE;
    this.#checkpoint = null;
    this.#files = null;
    this.page.enter(`turn ${promptId} ${attempt}`);
    const prompt = this.#prompts.get(promptId);
    for (const line of promptLines(prompt?.text ?? '')) this.page.line(`${this.style.cyan('>')} ${this.style.bold(line)}`);
    if (prompt !== undefined && prompt.author !== '') this.page.line(this.style.dim(`  ${neutralLine(prompt.author)}`));
    if (attempt > 1) this.page.line(this.style.yellow(`! attempt ${attempt}`));
  }

  startAgent({ conversation, agent }: AgentEventData['AgentStarted']): void {
    const name = neutralLine(agent);
    switch (conversation) {
      case 'new':
      case 'continued':
        return;
      case 'resumed':
        return this.#notice(`${name} resumed its conversation in a new process`);
      case 'replayed':
        return this.#notice(`${name} was given the conversation again from the log`);
    }
  }

  failAgent({ reason, exitCode, signal, stderr }: AgentEventData['AgentFailed']): void {
    this.page.enter('failure');
    const how = signal === '' ? `exit code ${exitCode}` : neutralLine(signal);
    this.page.line(this.style.red(`✗ agent failed (${how}): ${neutralLine(reason.message)}`));
    if (stderr === '') return;
    for (const line of outputLines(stderr).slice(-STDERR_LINES)) this.page.line(this.style.dim(`  │ ${line}`));
  }

  showPlan(entries: readonly PlanEntry[]): void {
    if (entries.length === 0) return;
    this.page.enter('plan');
    this.page.line(this.style.dim('plan'));
    for (const { status, text } of entries) this.page.line(`  ${this.#planSign(status)} ${neutralLine(text)}`);
  }

  changeFiles(data: AgentEventData['FilesChanged']): void {
    this.#files = data;
  }

  addUsage(usage: Usage): void {
    this.#usage = {
      inputTokens: this.#usage.inputTokens + usage.inputTokens,
      outputTokens: this.#usage.outputTokens + usage.outputTokens,
      cacheReadTokens: this.#usage.cacheReadTokens + usage.cacheReadTokens,
      costUsd: this.#usage.costUsd + usage.costUsd,
    };
  }

  checkpoint(data: AgentEventData['CheckpointCreated']): void {
    this.#checkpoint = data;
  }

  end({ outcome, reason }: CoreEventData['TurnEnded'], at: string): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.page.enter('result');
    this.#showFiles();
    this.#showUsage();
    this.#showLatePush();
    this.#showCheckpoint();
    this.#finalLine = this.#outcomeLine(outcome, reason ?? null, between(this.#startedAt, at));
    if (!this.#awaitsPush()) this.settle();
  }

  push(pushed: Pushed, refusal: Refusal | null): void {
    // Of the turn before: it must not cut into what the agent says now.
    if (this.#isRunning) {
      this.#latePush = { pushed, refusal };
      return;
    }
    this.#pushedSha = pushed.sha;
    this.page.enter('result');
    this.#showPush(pushed, refusal);
    if (!this.#awaitsPush()) this.settle();
  }

  settle(): void {
    if (this.#finalLine === null) return;
    const line = this.#finalLine;
    this.#finalLine = null;
    this.page.enter('result');
    this.page.line(line);
  }

  #awaitsPush(): boolean {
    const checkpoint = this.#checkpoint;
    return checkpoint !== null && checkpoint.sha !== checkpoint.parent && checkpoint.sha !== this.#pushedSha;
  }

  #showFiles(): void {
    if (this.#files === null) return;
    const { files, total } = this.#files;
    const shown = files.slice(0, FILE_LINES);
    shown.forEach((file, index) => this.#fact(index === 0 ? 'files' : '', this.#fileChange(file)));
    if (total > shown.length) this.#fact(shown.length === 0 ? 'files' : '', counted(total - shown.length, 'more file'));
    // Without a checkpoint they are in the sandbox's workspace only, which the next prompt takes over.
    if (total > 0 && this.#checkpoint === null) this.#fact('', this.style.yellow('not committed, and in no diff: kept in the workspace for the next prompt'));
  }

  #fileChange({ path, previousPath, change, insertions, deletions, binary }: FileChange): string {
    const name = previousPath === '' ? neutralLine(path) : `${neutralLine(previousPath)} → ${neutralLine(path)}`;
    const size = binary ? this.style.dim('binary') : `${this.style.green(`+${count(insertions)}`)} ${this.style.red(`-${count(deletions)}`)}`;
    return `${change} ${name}  ${size}`;
  }

  #showUsage(): void {
    const { inputTokens, outputTokens, cacheReadTokens, costUsd } = this.#usage;
    if (inputTokens + outputTokens + cacheReadTokens === 0) return;
    const cached = cacheReadTokens > 0 ? `, ${count(cacheReadTokens)} from cache` : '';
    const cost = costUsd > 0 ? `, ${dollars(costUsd)}` : '';
    this.#fact('usage', `${count(inputTokens)} tokens in${cached}, ${count(outputTokens)} out${cost}`);
  }

  /** A push that succeeded is not worth a line once another commit is about to be pushed. */
  #showLatePush(): void {
    const late = this.#latePush;
    this.#latePush = null;
    if (late === null || (late.refusal === null && this.#awaitsPush())) return;
    this.#showPush(late.pushed, late.refusal);
  }

  #showPush({ branch, sha }: Pushed, refusal: Refusal | null): void {
    if (refusal === null) return this.#fact('pushed', `${neutralLine(branch)} is at ${neutralLine(sha).slice(0, SHA_CHARS)}`);
    this.page.line(this.style.yellow(`! ${neutralLine(branch)} was not pushed: ${neutralLine(refusal.reason.message)}`));
    this.page.line(`  To take the changes all the same:  ./bullpen diff ${neutralLine(refusal.sessionId)} | git apply`);
  }

  #showCheckpoint(): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint === null || checkpoint.sha === checkpoint.parent) return;
    const { sha, branch, stats } = checkpoint;
    this.#fact('commit', `${neutralLine(sha).slice(0, SHA_CHARS)} on ${neutralLine(branch)}  ${this.style.dim(changes(stats))}`);
  }

  #fact(name: string, text: string): void {
    this.page.line(`${this.style.dim(name.padEnd(7))} ${text}`);
  }

  #notice(text: string): void {
    this.page.enter('notice');
    this.page.line(this.style.yellow(`! ${text}`));
  }

  #outcomeLine(outcome: TurnOutcome, reason: Reason | null, ms: number): string {
    const time = this.style.dim(`in ${duration(ms)}`);
    const why = reason === null ? '' : `: ${neutralLine(reason.message)} ${this.style.dim(`(${neutralLine(reason.code)})`)}`;
    switch (outcome) {
      case 'completed':
        return `${this.style.green('✓ completed')} ${time}`;
      case 'failed':
        return `${this.style.red('✗ failed')} ${time}${why}`;
      case 'cancelled':
        return `${this.style.yellow('✗ cancelled')} ${time}${why}`;
    }
  }

  #planSign(status: PlanStatus): string {
    switch (status) {
      case 'pending':
        return '·';
      case 'active':
        return this.style.cyan('▸');
      case 'done':
        return this.style.green('✓');
    }
  }
}

function promptLines(text: string): string[] {
  const lines = neutralise(text).replace(/\n+$/, '').split('\n');
  return lines.length <= PROMPT_LINES ? lines : [...lines.slice(0, PROMPT_LINES), `… ${counted(lines.length - PROMPT_LINES, 'more line')}`];
}
