import { z } from 'zod';

import type { Conversation, ToolSchema } from '../core/conversation.js';
import { findWorkingDirectory, withoutReminders } from '../core/conversation.js';
import {
  check,
  countTokens,
  fingerprintOf,
  outputTokens,
  parseBody,
  replyText,
  wordsOf,
  type Dialect,
  type MessageReply,
  type ModelRequest,
  type StreamFrame,
} from './dialect.js';

const blockSchema = z.looseObject({
  type: z.string().min(1),
  text: z.string().optional(),
  id: z.string().optional(),
  tool_use_id: z.string().optional(),
  is_error: z.boolean().optional(),
});
const messageSchema = z.looseObject({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(blockSchema)]),
});
const requestSchema = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.number().int().min(1).optional(),
  stream: z.boolean().optional(),
  system: z.union([z.string(), z.array(blockSchema)]).optional(),
  messages: z.array(messageSchema).min(1),
  tools: z.array(z.looseObject({ name: z.string().min(1), input_schema: z.looseObject({}).optional() })).optional(),
});

type Block = z.infer<typeof blockSchema>;
type Message = { role: 'user' | 'assistant' | 'system'; blocks: Block[] };
type Body = z.infer<typeof requestSchema>;

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

/** Anthropic Messages, `POST /v1/messages`. */
export const anthropic: Dialect = {
  parse(body) {
    const request = parseBody(requestSchema, body);
    check(request.max_tokens !== undefined, 'max_tokens: Field required');
    return readRequest(request);
  },
  json: (request, reply) => ({
    ...messageShell(request),
    content: [
      ...(replyText(reply) === '' ? [] : [{ type: 'text', text: replyText(reply) }]),
      ...(reply.toolCall ? [{ type: 'tool_use', id: callId(request), name: reply.toolCall.name, input: reply.toolCall.input }] : []),
    ],
    stop_reason: stopReason(reply),
    usage: { input_tokens: request.inputTokens, output_tokens: outputTokens(reply) },
  }),
  *stream(request, reply) {
    const message = { ...messageShell(request), content: [], usage: { input_tokens: request.inputTokens, output_tokens: 1 } };
    yield frame('message_start', { message });
    yield frame('ping', {});
    yield* streamText(reply);
    yield* streamToolCall(request, reply);
    yield frame('message_delta', {
      delta: { stop_reason: stopReason(reply), stop_sequence: null },
      usage: { output_tokens: outputTokens(reply) },
    });
    yield frame('message_stop', {});
  },
  error: (status, message) => ({
    type: 'error',
    error: { type: ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error'), message },
  }),
};

/** `POST /v1/messages/count_tokens`. @throws InvalidRequest */
export function countRequestTokens(body: unknown): { input_tokens: number } {
  return { input_tokens: readRequest(parseBody(requestSchema, body)).inputTokens };
}

function readRequest(body: Body): ModelRequest {
  const messages = body.messages.map(({ role, content }) => ({ role, blocks: toBlocks(content) }));
  checkToolResults(messages);
  const systemText = [...toBlocks(body.system ?? ''), ...messages.filter(({ role }) => role === 'system').flatMap(({ blocks }) => blocks)]
    .map(({ text }) => text ?? '')
    .join('\n');
  return {
    model: body.model,
    stream: body.stream ?? false,
    includeUsage: true,
    conversation: readConversation(messages, body, systemText),
    inputTokens: countTokens(JSON.stringify([body.system, body.messages, body.tools])),
    fingerprint: fingerprintOf(body),
  };
}

function toBlocks(content: string | Block[]): Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function readConversation(messages: readonly Message[], body: Body, systemText: string): Conversation {
  const prompts = messages.map(promptOf);
  const last = prompts.findLastIndex((prompt) => prompt !== null);
  check(last >= 0, 'messages: at least one message must be a text by the user');
  const since = messages.slice(last + 1).flatMap(({ blocks }) => blocks);
  return {
    prompts: prompts.filter((prompt) => prompt !== null),
    callsSincePrompt: since.filter(({ type }) => type === 'tool_use').length,
    failedSincePrompt: since.filter(({ type, is_error }) => type === 'tool_result' && is_error === true).length,
    tools: (body.tools ?? []).map(({ name, input_schema }) => ({ name, schema: (input_schema ?? {}) as ToolSchema })),
    workingDirectory: findWorkingDirectory(systemText),
  };
}

/** Text beside a tool result is a reminder by the agent, not a prompt. */
function promptOf({ role, blocks }: Message): string | null {
  if (role !== 'user' || blocks.some(({ type }) => type === 'tool_result')) return null;
  const text = withoutReminders(blocks.map((block) => (block.type === 'text' ? (block.text ?? '') : '')).join('\n'));
  return text === '' ? null : text;
}

/** The API's rule: each tool_use is answered in the user's next words, and nothing else is. */
function checkToolResults(messages: readonly Message[]): void {
  let open = new Set<string>();
  for (const [index, { role, blocks }] of messages.entries()) {
    if (role === 'assistant') {
      check(open.size === 0, `messages.${index}: tool_use ids without tool_result blocks before this: ${[...open].join(', ')}`);
      open = new Set(blocks.flatMap(({ type, id }) => (type === 'tool_use' && id !== undefined ? [id] : [])));
    }
    for (const block of blocks.filter(({ type }) => type === 'tool_result')) {
      check(open.delete(block.tool_use_id ?? ''), `messages.${index}: unexpected tool_use_id in tool_result: ${block.tool_use_id}`);
    }
  }
  check(open.size === 0, `messages: tool_use ids without tool_result blocks: ${[...open].join(', ')}`);
}

function messageShell(request: ModelRequest): Record<string, unknown> {
  const id = `msg_${request.fingerprint}`;
  return { id, type: 'message', role: 'assistant', model: request.model, stop_reason: null, stop_sequence: null };
}

function callId(request: ModelRequest): string {
  return `toolu_${request.fingerprint}`;
}

function stopReason(reply: MessageReply): string {
  return reply.toolCall ? 'tool_use' : 'end_turn';
}

function* streamText(reply: MessageReply): Iterable<StreamFrame> {
  if (reply.text.length === 0) return;
  yield frame('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (const { word, delayMs } of wordsOf(reply.text)) {
    yield frame('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word } }, delayMs);
  }
  yield frame('content_block_stop', { index: 0 });
}

function* streamToolCall(request: ModelRequest, reply: MessageReply): Iterable<StreamFrame> {
  if (reply.toolCall === null) return;
  const index = reply.text.length === 0 ? 0 : 1;
  const block = { type: 'tool_use', id: callId(request), name: reply.toolCall.name, input: {} };
  yield frame('content_block_start', { index, content_block: block });
  const json = JSON.stringify(reply.toolCall.input);
  const middle = Math.ceil(json.length / 2);
  for (const partial_json of [json.slice(0, middle), json.slice(middle)]) {
    yield frame('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json } });
  }
  yield frame('content_block_stop', { index });
}

function frame(type: string, data: Readonly<Record<string, unknown>>, delayMs = 0): StreamFrame {
  return { text: `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`, delayMs };
}
