import { createHash } from 'node:crypto';

import type { z } from 'zod';

import type { Conversation, Reply, TextPart } from '../core/conversation.js';

/** A request that passed the dialect's checks. */
export interface ModelRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly conversation: Conversation;
  readonly inputTokens: number;
  /** The same for the same request, another for any other: ids of messages and calls are made from it. */
  readonly fingerprint: string;
}

export type MessageReply = Extract<Reply, { kind: 'message' }>;

/** One write on an event stream, due this long after the one before. */
export interface StreamFrame {
  readonly text: string;
  readonly delayMs: number;
}

/** One model API: how it is read and how it answers. */
export interface Dialect {
  /** @throws InvalidRequest */
  parse(body: unknown): ModelRequest;
  json(request: ModelRequest, reply: MessageReply): unknown;
  stream(request: ModelRequest, reply: MessageReply): Iterable<StreamFrame>;
  error(status: number, message: string): unknown;
}

/** The request breaks a rule of the API: status 400, in the API's own error shape. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest';
}

export function check(condition: boolean, message: string): void {
  if (!condition) throw new InvalidRequest(message);
}

export function parseBody<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InvalidRequest(issue === undefined ? 'Invalid request.' : `${issue.path.join('.') || 'body'}: ${issue.message}`);
}

export function fingerprintOf(body: unknown): string {
  return createHash('sha256').update(JSON.stringify(body)).digest('hex').slice(0, 24);
}

/** Four characters a token: steady, and near enough for a scripted model. */
export function countTokens(text: string): number {
  return Math.max(1, Math.ceil(text.length / 4));
}

export function replyText(reply: MessageReply): string {
  return reply.text.map((part) => part.text).join('');
}

export function outputTokens(reply: MessageReply): number {
  return countTokens(replyText(reply) + (reply.toolCall ? JSON.stringify(reply.toolCall) : ''));
}

/** Word by word, as a model streams. */
export function* wordsOf(parts: readonly TextPart[]): Iterable<{ word: string; delayMs: number }> {
  for (const { text, wordDelayMs } of parts) {
    for (const word of text.match(/\S+\s*|\s+/g) ?? []) yield { word, delayMs: wordDelayMs };
  }
}
