import type { IncomingMessage } from 'node:http';

import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';

import { Rejection } from '@bullpen/errors';

const MAX_KEY_CHARS = 200;

/** The request's `Idempotency-Key`; empty without one. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const { headers } = context.switchToHttp().getRequest<IncomingMessage>();
  const key = String(headers['idempotency-key'] ?? '');
  if (key.length <= MAX_KEY_CHARS) return key;
  const message = `The Idempotency-Key has ${key.length} characters; at most ${MAX_KEY_CHARS} are taken.`;
  throw new Rejection('idempotency.key-invalid', message, { limit: MAX_KEY_CHARS });
});
