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

const messageSchema = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool']),
  content: z.union([z.string(), z.array(z.looseObject({ type: z.string().min(1), text: z.string().optional() })), z.null()]).optional(),
  tool_calls: z.array(z.looseObject({ id: z.string().min(1) })).optional(),
  tool_call_id: z.string().optional(),
});
const requestSchema = z.looseObject({
  model: z.string().min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  messages: z.array(messageSchema).min(1),
  tools: z
    .array(
      z.looseObject({
        type: z.literal('function'),
        function: z.looseObject({ name: z.string().min(1), parameters: z.looseObject({}).optional() }),
      }),
    )
    .optional(),
});

type Message = z.infer<typeof messageSchema>;
type Body = z.infer<typeof requestSchema>;

const ERROR_TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

/** OpenAI Chat Completions, `POST /v1/chat/completions`. */
export const openai: Dialect = {
  parse(body) {
    const request = parseBody(requestSchema, body);
    checkToolResults(request.messages);
    return {
      model: request.model,
      stream: request.stream ?? false,
      includeUsage: request.stream_options?.include_usage ?? false,
      conversation: readConversation(request),
      inputTokens: countTokens(JSON.stringify([request.messages, request.tools])),
      fingerprint: fingerprintOf(request),
    };
  },
  json: (request, reply) => ({
    ...completionShell(request, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: replyText(reply),
          ...(reply.toolCall ? { tool_calls: [toolCallOf(request, reply)] } : {}),
        },
        finish_reason: finishReason(reply),
      },
    ],
    usage: usageOf(request, reply),
  }),
  *stream(request, reply) {
    yield chunk(request, { role: 'assistant', content: '' });
    for (const { word, delayMs } of wordsOf(reply.text)) yield chunk(request, { content: word }, { delayMs });
    if (reply.toolCall) yield chunk(request, { tool_calls: [{ index: 0, ...toolCallOf(request, reply) }] });
    yield chunk(request, {}, { finishReason: finishReason(reply) });
    if (request.includeUsage) {
      yield data({ ...completionShell(request, 'chat.completion.chunk'), choices: [], usage: usageOf(request, reply) });
    }
    yield { text: 'data: [DONE]\n\n', delayMs: 0 };
  },
  error: (status, message) => ({
    error: { message, type: ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'server_error'), param: null, code: null },
  }),
};

function readConversation({ messages, tools = [] }: Body): Conversation {
  const prompts = messages.map(promptOf);
  const last = prompts.findLastIndex((prompt) => prompt !== null);
  check(last >= 0, 'messages: at least one message must be a text by the user');
  const systemText = messages.filter(({ role }) => role === 'system' || role === 'developer').map(textOf);
  return {
    prompts: prompts.filter((prompt) => prompt !== null),
    callsSincePrompt: messages.slice(last + 1).reduce((count, message) => count + (message.tool_calls?.length ?? 0), 0),
    failedSincePrompt: 0,
    tools: tools.map((tool) => ({ name: tool.function.name, schema: (tool.function.parameters ?? {}) as ToolSchema })),
    workingDirectory: findWorkingDirectory(systemText.join('\n')),
  };
}

function promptOf(message: Message): string | null {
  if (message.role !== 'user') return null;
  const text = withoutReminders(textOf(message));
  return text === '' ? null : text;
}

function textOf({ content }: Message): string {
  if (typeof content === 'string') return content;
  return (content ?? []).map((part) => (part.type === 'text' ? (part.text ?? '') : '')).join('\n');
}

/** The API's rule: every tool call has its answer before anybody says something else, and nothing else is answered. */
function checkToolResults(messages: readonly Message[]): void {
  let open = new Set<string>();
  for (const [index, { role, tool_calls, tool_call_id }] of messages.entries()) {
    if (role === 'tool') {
      check(open.delete(tool_call_id ?? ''), `messages.${index}: tool_call_id '${tool_call_id}' answers no preceding tool call`);
    } else {
      check(open.size === 0, `messages.${index}: tool calls without an answer before this: ${[...open].join(', ')}`);
      open = new Set((tool_calls ?? []).map(({ id }) => id));
    }
  }
  check(open.size === 0, `messages: tool calls without an answer: ${[...open].join(', ')}`);
}

function completionShell(request: ModelRequest, object: string): Record<string, unknown> {
  // A fixed moment: the same request gets the same answer, to the byte.
  return { id: `chatcmpl-${request.fingerprint}`, object, created: 0, model: request.model };
}

function toolCallOf(request: ModelRequest, { toolCall }: MessageReply): Record<string, unknown> {
  return {
    id: `call_${request.fingerprint}`,
    type: 'function',
    function: { name: toolCall?.name, arguments: JSON.stringify(toolCall?.input) },
  };
}

function finishReason(reply: MessageReply): string {
  return reply.toolCall ? 'tool_calls' : 'stop';
}

function usageOf(request: ModelRequest, reply: MessageReply): Record<string, number> {
  const completion = outputTokens(reply);
  return { prompt_tokens: request.inputTokens, completion_tokens: completion, total_tokens: request.inputTokens + completion };
}

function chunk(
  request: ModelRequest,
  delta: Readonly<Record<string, unknown>>,
  { delayMs = 0, finishReason: finish_reason = null }: { delayMs?: number; finishReason?: string | null } = {},
): StreamFrame {
  return data({ ...completionShell(request, 'chat.completion.chunk'), choices: [{ index: 0, delta, finish_reason }] }, delayMs);
}

function data(value: unknown, delayMs = 0): StreamFrame {
  return { text: `data: ${JSON.stringify(value)}\n\n`, delayMs };
}
