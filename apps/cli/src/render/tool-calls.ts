import type { AgentEventData, ClippedText, ToolOutcome } from '@bullpen/contracts';

import { bytes, counted, duration } from './format.js';
import type { Page } from './page.js';
import type { Style } from './style.js';
import { fit, neutralLine, outputLines } from './terminal-text.js';

/** Lines of output shown while a tool runs, and of a longer one at its end. */
const HEAD_LINES = 6;
const TAIL_LINES = 3;
const INDENT = '  ';

interface ToolCall {
  readonly heading: string;
  /** Lines of its output that were printed. */
  readonly shown: string[];
}

/** Tool calls of the running turn; several may be open, and their output may alternate. */
export class ToolCalls {
  readonly #calls = new Map<string, ToolCall>();

  constructor(
    private readonly page: Page,
    private readonly style: Style,
  ) {}

  start({ toolCallId, name, title }: AgentEventData['ToolCallStarted']): void {
    const heading = `${this.style.cyan('•')} ${this.style.bold(neutralLine(name))} ${this.#cut(neutralLine(title), name.length + 3)}`.trimEnd();
    this.#calls.set(toolCallId, { heading, shown: [] });
    this.page.enter(blockOf(toolCallId));
    this.page.line(heading);
  }

  /** Shows the first lines as they come; whole lines only, the last one may still grow. */
  progress({ toolCallId, output }: AgentEventData['ToolCallProgressed']): void {
    const call = this.#open(toolCallId);
    const whole = output.text.endsWith('\n') || output.sha256 !== '' ? output.text : output.text.slice(0, output.text.lastIndexOf('\n') + 1);
    if (whole !== '') this.#showLines(call, outputLines(whole).slice(0, HEAD_LINES));
  }

  complete({ toolCallId, outcome, output, durationMs }: AgentEventData['ToolCallCompleted']): void {
    const call = this.#open(toolCallId);
    if (output.text !== '') this.#showRest(call, output);
    this.page.line(`${INDENT}${this.#outcome(outcome)} ${this.style.dim(duration(durationMs))}`);
    this.#calls.delete(toolCallId);
  }

  clear(): void {
    this.#calls.clear();
  }

  #open(toolCallId: string): ToolCall {
    const known = this.#calls.get(toolCallId);
    const call = known ?? { heading: `${this.style.cyan('•')} tool call ${neutralLine(toolCallId)}`, shown: [] };
    this.#calls.set(toolCallId, call);
    if (this.page.enter(blockOf(toolCallId))) this.page.line(call.heading);
    return call;
  }

  #showRest(call: ToolCall, output: ClippedText): void {
    const lines = outputLines(output.text);
    // Long output may come as a window that moves on: its start is then gone, and how much that was is not known.
    if (call.shown.some((line, index) => line !== lines[index])) {
      this.#more('more lines');
      return this.#print(lines.slice(-TAIL_LINES));
    }
    if (output.sha256 !== '') {
      this.#showLines(call, lines.slice(0, HEAD_LINES));
      this.#more(`${bytes(output.bytes)} in all`);
      return this.#print(outputLines(output.tail).slice(-TAIL_LINES));
    }
    if (lines.length <= HEAD_LINES + TAIL_LINES + 1) return this.#showLines(call, lines);
    this.#showLines(call, lines.slice(0, HEAD_LINES));
    this.#more(counted(lines.length - HEAD_LINES - TAIL_LINES, 'more line'));
    this.#print(lines.slice(-TAIL_LINES));
  }

  #showLines(call: ToolCall, lines: readonly string[]): void {
    const fresh = lines.slice(call.shown.length);
    this.#print(fresh);
    call.shown.push(...fresh);
  }

  #print(lines: readonly string[]): void {
    for (const line of lines) this.page.line(`${INDENT}${this.style.dim('│')} ${this.#cut(line, INDENT.length + 2)}`.trimEnd());
  }

  #more(text: string): void {
    this.page.line(`${INDENT}${this.style.dim(`│ … ${text}`)}`);
  }

  #cut(text: string, columnsBefore: number): string {
    return fit(text, this.page.width === null ? null : Math.max(10, this.page.width - columnsBefore));
  }

  #outcome(outcome: ToolOutcome): string {
    switch (outcome) {
      case 'succeeded':
        return this.style.green('✓');
      case 'failed':
        return this.style.red('✗ failed');
      case 'cancelled':
        return this.style.yellow('✗ cancelled');
    }
  }
}

function blockOf(toolCallId: string): string {
  return `tool ${toolCallId}`;
}
