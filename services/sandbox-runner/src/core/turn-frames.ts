import type { AgentEvent } from '@bullpen/agent-port';
import type { JsonRecord, NoticeLevel, RunnerEvent } from '@bullpen/contracts';
import { MAX_EVENT_LIST_ITEMS } from '@bullpen/contracts';

import { clipInput, clipProgress, clipText, shorten } from './clipping.js';
import type { Redactor, StreamRedactor } from './redactor.js';
import type { TextChunk, TextCoalescer, TextKind } from './text-coalescer.js';

/** What goes to the log, and the objects it names, which must be stored before. */
export interface TurnFrame {
  readonly event: RunnerEvent;
  readonly objects: readonly string[];
}

export interface TurnFramesOptions {
  readonly redactor: Redactor;
  readonly coalescer: TextCoalescer;
  readonly sha256: (text: string) => string;
}

/** Of one tool's growing output. */
export const PROGRESS_INTERVAL_MS = 1_000;
const MAX_TITLE_CHARS = 200;
const MAX_PLAN_TEXT_CHARS = 1_000;
const MAX_NOTICE_CHARS = 2_000;

interface OpenTool {
  readonly startedAtMs: number;
  progressAtMs: number;
  /** So far. */
  output: string;
  /** Whether the newest output was not shown. */
  isNew: boolean;
}

type ToolCompleted = Extract<AgentEvent, { kind: 'toolCompleted' }>;
type ToolStarted = Extract<AgentEvent, { kind: 'toolStarted' }>;

/**
 * Makes frames of one turn's agent events: secrets replaced, text coalesced, long strings cut to objects. The order of the
 * events is kept. What waits for its moment comes from `takeDue`; everything is out after `end`.
 */
export class TurnFrames {
  readonly #redactor: Redactor;
  readonly #coalescer: TextCoalescer;
  readonly #sha256: (text: string) => string;
  readonly #tools = new Map<string, OpenTool>();
  #text: { kind: TextKind; key: string; stream: StreamRedactor } | null = null;
  #failure: 'failed' | 'cancelled' = 'failed';

  constructor({ redactor, coalescer, sha256 }: TurnFramesOptions) {
    this.#redactor = redactor;
    this.#coalescer = coalescer;
    this.#sha256 = sha256;
  }

  read(event: AgentEvent, nowMs: number): TurnFrame[] {
    switch (event.kind) {
      case 'text':
      case 'reasoning':
        return this.#readText(event.kind, event.key, event.delta, nowMs);
      case 'notice':
        return [...this.#endText(nowMs), this.#notice(event.text, event.level)];
      case 'toolProgressed':
        return this.#toolProgressed(event.toolCallId, event.output, nowMs);
      case 'toolStarted':
        return [...this.#endText(nowMs), this.#toolStarted(event, nowMs)];
      case 'toolCompleted':
        return [...this.#endText(nowMs), this.#toolCompleted(event, nowMs, event.failed ? this.#failure : 'succeeded')];
      case 'plan': {
        const entries = event.entries
          .slice(0, MAX_EVENT_LIST_ITEMS)
          .map(({ text, status }) => ({ text: this.#line(text, MAX_PLAN_TEXT_CHARS), status }));
        return [...this.#endText(nowMs), plain({ type: 'PlanUpdated', data: { entries } })];
      }
      case 'usage': {
        const { kind: _, ...usage } = event;
        return [
          ...this.#endText(nowMs),
          plain({ type: 'UsageReported', data: { ...usage, model: this.#line(usage.model, MAX_TITLE_CHARS) } }),
        ];
      }
    }
  }

  /** The person wants it to end: tools that fail from here on were cancelled. */
  cancel(): void {
    this.#failure = 'cancelled';
  }

  get dueAtMs(): number | null {
    const waiting = [...this.#tools.values()].filter(({ isNew }) => isNew);
    const due = [this.#coalescer.dueAtMs, ...waiting.map(({ progressAtMs }) => progressAtMs + PROGRESS_INTERVAL_MS)];
    const times = due.filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  }

  takeDue(nowMs: number): TurnFrame[] {
    const progress = [...this.#tools].flatMap(([toolCallId, tool]) => this.#dueProgress(toolCallId, tool, nowMs));
    return [...this.#coalescer.takeDue(nowMs).map(textFrame), ...progress];
  }

  /** Nothing more comes from the agent: tools that never completed are cancelled. */
  end(nowMs: number): TurnFrame[] {
    const text = [...this.#endText(nowMs), ...this.#coalescer.endPrompt().map(textFrame)];
    const open = [...this.#tools].map(([toolCallId, tool]) => {
      return this.#toolCompleted({ kind: 'toolCompleted', toolCallId, failed: true, output: tool.output }, nowMs, 'cancelled');
    });
    return [...text, ...open];
  }

  #readText(kind: TextKind, key: string, delta: string, nowMs: number): TurnFrame[] {
    const goesOn = this.#text !== null && this.#text.kind === kind && this.#text.key === key;
    const before = goesOn ? [] : this.#endText(nowMs);
    const text = goesOn && this.#text ? this.#text : { kind, key, stream: this.#redactor.stream() };
    this.#text = text;
    const out = text.stream.push(delta);
    return out === '' ? before : [...before, ...this.#coalescer.append(kind, key, out, nowMs).map(textFrame)];
  }

  #endText(nowMs: number): TurnFrame[] {
    const text = this.#text;
    this.#text = null;
    const rest = text?.stream.end() ?? '';
    const last = text && rest !== '' ? this.#coalescer.append(text.kind, text.key, rest, nowMs) : [];
    return [...last, ...this.#coalescer.flush()].map(textFrame);
  }

  #notice(text: string, level: NoticeLevel): TurnFrame {
    return plain({ type: 'AgentNoticed', data: { text: this.#line(text, MAX_NOTICE_CHARS), level } });
  }

  #toolStarted({ toolCallId, name, input, title }: ToolStarted, nowMs: number): TurnFrame {
    this.#tools.set(toolCallId, { startedAtMs: nowMs, progressAtMs: -Infinity, output: '', isNew: false });
    return this.#withObjects((keep) => {
      const data = {
        toolCallId,
        name: this.#line(name, MAX_TITLE_CHARS),
        input: clipInput(this.#redactor.json<JsonRecord>(input), keep),
        title: this.#line(title, MAX_TITLE_CHARS),
      };
      return { type: 'ToolCallStarted', data };
    });
  }

  #toolProgressed(toolCallId: string, output: string, nowMs: number): TurnFrame[] {
    const tool = this.#tools.get(toolCallId);
    if (!tool) return [];
    tool.output = output;
    tool.isNew = true;
    return this.#dueProgress(toolCallId, tool, nowMs);
  }

  #dueProgress(toolCallId: string, tool: OpenTool, nowMs: number): TurnFrame[] {
    if (!tool.isNew || nowMs - tool.progressAtMs < PROGRESS_INTERVAL_MS) return [];
    const output = clipProgress(this.#redactor.unfinished(tool.output));
    tool.isNew = false;
    tool.progressAtMs = nowMs;
    return [plain({ type: 'ToolCallProgressed', data: { toolCallId, output } })];
  }

  #toolCompleted({ toolCallId, output }: ToolCompleted, nowMs: number, outcome: 'succeeded' | 'failed' | 'cancelled'): TurnFrame {
    const durationMs = Math.round(nowMs - (this.#tools.get(toolCallId)?.startedAtMs ?? nowMs));
    this.#tools.delete(toolCallId);
    return this.#withObjects((keep) => ({
      type: 'ToolCallCompleted',
      data: { toolCallId, outcome, output: clipText(this.#redactor.text(output), keep), durationMs },
    }));
  }

  #line(text: string, maxChars: number): string {
    return shorten(this.#redactor.text(text), maxChars);
  }

  #withObjects(make: (keep: (text: string) => string) => RunnerEvent): TurnFrame {
    const objects: string[] = [];
    const event = make((text) => {
      objects.push(text);
      return this.#sha256(text);
    });
    return { event, objects };
  }
}

function plain(event: RunnerEvent): TurnFrame {
  return { event, objects: [] };
}

function textFrame({ kind, ...data }: TextChunk): TurnFrame {
  return plain({ type: kind === 'text' ? 'AssistantTextAppended' : 'ReasoningAppended', data });
}
