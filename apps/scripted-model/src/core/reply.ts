import type { Conversation, Reply, TextPart, ToolCall } from './conversation.js';
import { SCRIPT_HINT, parseScript, type Step } from './script.js';
import { toolCallFor } from './tool-call.js';

const SLOW_WORD_DELAY_MS = 100;
const MAX_ECHO_LENGTH = 2_000;

type Action =
  | { readonly kind: 'text'; readonly part: TextPart }
  | { readonly kind: 'call'; readonly title: string; readonly call: ToolCall }
  | { readonly kind: 'error'; readonly status: number };

/**
 * The model's answer: a function of the conversation and of nothing else. A reply carries at most one tool call; the request that brings
 * its result gets the next part of the script.
 */
export function planReply(conversation: Conversation): Reply {
  const steps = parseScript(conversation.prompts.at(-1) ?? '');
  if (steps.length === 0) return message([plain(echo(conversation.prompts))], null);
  const actions = steps.map((step) => toAction(step, conversation));
  const part = nextPart(actions, conversation.callsSincePrompt);
  const failing = part.find((action) => action.kind === 'error');
  if (failing) return { kind: 'error', status: failing.status };
  return toMessage(part, actions, conversation);
}

function echo(prompts: readonly string[]): string {
  return `Echo(turn ${prompts.length}): ${(prompts.at(-1) ?? '').slice(0, MAX_ECHO_LENGTH)}\n\n${SCRIPT_HINT}`;
}

function toAction(step: Step, conversation: Conversation): Action {
  switch (step.kind) {
    case 'say':
      return { kind: 'text', part: plain(step.text) };
    case 'slow':
      return { kind: 'text', part: { text: slowText(step.words), wordDelayMs: SLOW_WORD_DELAY_MS } };
    case 'error':
      return { kind: 'error', status: step.status };
    case 'run':
    case 'write':
    case 'edit':
    case 'read': {
      const title = step.kind === 'run' ? `run ${step.command}` : `${step.kind} ${step.path}`;
      const call = toolCallFor(step, conversation);
      return call ? { kind: 'call', title, call } : { kind: 'text', part: plain(`Cannot ${title}: this request offers no tool for it.`) };
    }
  }
}

/** From after the last call that was made to the next call, inclusive. */
function nextPart(actions: readonly Action[], callsMade: number): Action[] {
  const calls = actions.flatMap((action, index) => (action.kind === 'call' ? [index] : []));
  const start = callsMade === 0 ? 0 : (calls[callsMade - 1] ?? actions.length - 1) + 1;
  const end = calls[callsMade] ?? actions.length - 1;
  return actions.slice(start, end + 1);
}

function toMessage(part: readonly Action[], actions: readonly Action[], conversation: Conversation): Reply {
  const texts = part.flatMap((action) => (action.kind === 'text' ? [action.part] : []));
  const next = part.find((action) => action.kind === 'call');
  const total = actions.filter((action) => action.kind === 'call').length;
  if (next) return message([...texts, plain(`Step ${conversation.callsSincePrompt + 1} of ${total}: ${next.title}`)], next.call);
  if (total === 0) return message(texts, null);
  const failed = conversation.failedSincePrompt === 0 ? '' : `, ${conversation.failedSincePrompt} failed`;
  return message([...texts, plain(`Done: ${total} ${total === 1 ? 'step' : 'steps'}${failed}.`)], null);
}

function message(parts: readonly TextPart[], toolCall: ToolCall | null): Reply {
  const text = parts.map((part, index) => (index < parts.length - 1 ? { ...part, text: `${part.text}\n` } : part));
  return { kind: 'message', text, toolCall };
}

function plain(text: string): TextPart {
  return { text, wordDelayMs: 0 };
}

function slowText(words: number): string {
  return Array.from({ length: words }, (_, index) => `word${index + 1}`).join(' ');
}
