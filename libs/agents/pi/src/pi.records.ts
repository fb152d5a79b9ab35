import type { AgentEvent, AgentTurnResult } from '@bullpen/agent-port';
import type { JsonRecord, Reason } from '@bullpen/contracts';

type Fields = Readonly<Record<string, unknown>>;

const MAX_TITLE_CHARS = 200;
const MAX_ERROR_CHARS = 500;

const NO_ROOM = /\b(?:ENOSPC|EDQUOT)\b/;

/** Arguments that name what a tool works on, best first. */
const TITLE_ARGUMENTS = ['command', 'path', 'file_path', 'pattern', 'query', 'url'];

/** How the last model call ended. */
interface ModelCall {
  readonly stopReason: string;
  readonly errorMessage: string;
}

/**
 * Turns pi's records into the platform's events, one prompt at a time.
 *
 * Promise: events come out in the order of the records; `settled` is true once pi will not go on by itself. Records that say nothing
 * new are silent, unknown ones too.
 */
export class PiPromptReader {
  #messages = 0;
  #lastCall: ModelCall | null = null;
  #started = false;
  #settled = false;

  get started(): boolean {
    return this.#started;
  }

  get settled(): boolean {
    return this.#settled;
  }

  read(record: Fields): AgentEvent[] {
    switch (record['type']) {
      case 'agent_start':
        this.#started = true;
        return [];
      case 'message_start':
        if (roleOf(record) === 'assistant') this.#messages += 1;
        return [];
      case 'message_update':
        return this.#delta(fieldsOf(record['assistantMessageEvent']));
      case 'message_end':
        return roleOf(record) === 'assistant' ? this.#modelCallEnded(fieldsOf(record['message'])) : [];
      case 'tool_execution_start':
      case 'tool_execution_update':
      case 'tool_execution_end':
        return toolEvents(record);
      case 'agent_settled':
        this.#settled = true;
        return [];
      default:
        return noticesOf(record);
    }
  }

  result(interrupted: boolean): AgentTurnResult {
    const stopReason = this.#lastCall?.stopReason ?? '';
    if (interrupted || stopReason === 'aborted') return cancelled;
    if (stopReason === 'error') return { outcome: 'failed', reason: modelFailure(this.#lastCall?.errorMessage ?? '') };
    if (stopReason === 'length') return { outcome: 'failed', reason: outputLimit };
    return { outcome: 'completed', reason: null };
  }

  #delta(update: Fields): AgentEvent[] {
    const delta = stringOf(update['delta']);
    if (delta === '') return [];
    const key = `${this.#messages}.${numberOf(update['contentIndex'])}`;
    if (update['type'] === 'text_delta') return [{ kind: 'text', key, delta }];
    if (update['type'] === 'thinking_delta') return [{ kind: 'reasoning', key, delta }];
    return [];
  }

  #modelCallEnded(message: Fields): AgentEvent[] {
    this.#lastCall = { stopReason: stringOf(message['stopReason']), errorMessage: stringOf(message['errorMessage']) };
    const usage = fieldsOf(message['usage']);
    if (numberOf(usage['totalTokens']) === 0) return [];
    return [
      {
        kind: 'usage',
        model: stringOf(message['responseModel']) || stringOf(message['model']),
        inputTokens: numberOf(usage['input']),
        outputTokens: numberOf(usage['output']),
        cacheReadTokens: numberOf(usage['cacheRead']),
        cacheWriteTokens: numberOf(usage['cacheWrite']),
        costUsd: numberOf(fieldsOf(usage['cost'])['total']),
      },
    ];
  }
}

const cancelled: AgentTurnResult = {
  outcome: 'cancelled',
  reason: { code: 'turn.cancelled', message: 'The turn was cancelled. What it changed so far is kept.' },
};

const outputLimit: Reason = {
  code: 'model.output-limit',
  message: 'The model stopped at its output limit. Prompt again to let it go on.',
};

function toolEvents(record: Fields): AgentEvent[] {
  const toolCallId = stringOf(record['toolCallId']);
  switch (record['type']) {
    case 'tool_execution_start': {
      const input = fieldsOf(record['args']) as JsonRecord;
      const name = stringOf(record['toolName']);
      return [{ kind: 'toolStarted', toolCallId, name, input, title: titleOf(name, input) }];
    }
    case 'tool_execution_update': {
      const output = outputOf(record['partialResult']);
      return output === '' ? [] : [{ kind: 'toolProgressed', toolCallId, output }];
    }
    default:
      return [{ kind: 'toolCompleted', toolCallId, failed: record['isError'] === true, output: outputOf(record['result']) }];
  }
}

function noticesOf(record: Fields): AgentEvent[] {
  switch (record['type']) {
    case 'auto_retry_start': {
      const delayMs = numberOf(record['delayMs']);
      const attempt = `${numberOf(record['attempt'])} of ${numberOf(record['maxAttempts'])}`;
      const { message } = readModelError(stringOf(record['errorMessage']));
      const text = `The model call failed (${message}). Retry ${attempt} in ${Math.round(delayMs / 1000)} s.`;
      return [{ kind: 'notice', level: 'warning', text }];
    }
    case 'compaction_start':
      return [
        {
          kind: 'notice',
          level: 'info',
          text: 'The conversation is close to the limit of the model: older parts are being summarised.',
        },
      ];
    case 'extension_error':
      return [{ kind: 'notice', level: 'warning', text: `An extension of the agent failed: ${clip(stringOf(record['error']))}` }];
    default:
      return [];
  }
}

/** One line for a person: the command, the path, or else the tool's name. */
function titleOf(name: string, input: JsonRecord): string {
  const argument = TITLE_ARGUMENTS.map((key) => input[key]).find((value) => typeof value === 'string' && value !== '');
  const line = typeof argument === 'string' ? (argument.trim().split('\n', 1)[0] ?? '') : name;
  return shorten(line, MAX_TITLE_CHARS);
}

function outputOf(result: unknown): string {
  const content = fieldsOf(result)['content'];
  if (!Array.isArray(content)) return '';
  return content
    .map(fieldsOf)
    .map((part) => (part['type'] === 'image' ? `[image ${stringOf(part['mimeType'])}]` : stringOf(part['text'])))
    .join('');
}

/** The reason of a turn whose model call failed for good. The code follows the HTTP status that the text begins with. */
function modelFailure(errorMessage: string): Reason {
  // pi calls every error of a turn one of the model's, its own failed writes among them.
  if (NO_ROOM.test(errorMessage)) return { code: 'disk.full', message: `The agent could not write: ${clip(errorMessage)}. Free space on the platform's disk, then retry.` };
  const { status, message } = readModelError(errorMessage);
  if (status === 401 || status === 403) {
    return { code: 'model.unauthorized', message: `The model refused the key (${status}): ${message}. Check ANTHROPIC_API_KEY.` };
  }
  if (status === 404)
    return { code: 'model.unknown', message: `The model was not found (404): ${message}. Choose another model.` };
  if (status === 429 || status === 529) {
    return {
      code: 'model.overloaded',
      message: `The model is overloaded or rate limited (${status}): ${message}. Retry later.`,
    };
  }
  const prefix = status === null ? '' : ` (${status})`;
  return {
    code: 'model.failed',
    message: `The model call failed${prefix}: ${message}. Retry, or check the model's address.`,
  };
}

/** pi passes the provider's answer on as "<status> <body>"; the body is the provider's JSON, or plain words. */
function readModelError(text: string): { status: number | null; message: string } {
  const [, digits, body] = /^(\d{3})\s+(.*)$/s.exec(text) ?? [];
  return {
    status: digits === undefined ? null : Number(digits),
    message: clip(providerMessage(body ?? text)) || 'no further text',
  };
}

function providerMessage(body: string): string {
  try {
    const message = stringOf(fieldsOf(fieldsOf(JSON.parse(body))['error'])['message']);
    return message || body;
  } catch {
    return body;
  }
}

function clip(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim().replace(/\.$/, '');
  return shorten(line, MAX_ERROR_CHARS);
}

function shorten(line: string, maxChars: number): string {
  if (line.length <= maxChars) return line;
  // Half a surrogate pair at the end is left out.
  return `${line.slice(0, maxChars - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function roleOf(record: Fields): string {
  return stringOf(fieldsOf(record['message'])['role']);
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}
