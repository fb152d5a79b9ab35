import { randomUUID } from 'node:crypto';

import type { Client } from '@connectrpc/connect';

import { LOCAL_ORGANISATION_ID } from '@bullpen/auth';
import { isEntityId } from '@bullpen/contracts';
import type { SandboxOrchestratorService, SessionService } from '@bullpen/contracts';
import { currentTrace } from '@bullpen/telemetry';

import type { GatewayConfig } from '../../config.js';
import { sessionNotFound } from '../log/event-pages.js';

/** What the gateway asks of the session service and of the orchestrator. */
export type SessionCalls = Client<typeof SessionService>;
export type OrchestratorCalls = Client<typeof SandboxOrchestratorService>;

export const SESSION_CALLS = Symbol('SessionCalls');
export const ORCHESTRATOR_CALLS = Symbol('OrchestratorCalls');

/** A create waits for `git ls-remote` (10 s) inside the session service. */
export const SESSION_CALL_TIMEOUT_MS = 15_000;
export const ORCHESTRATOR_CALL_TIMEOUT_MS = 2_000;

/** Local mode has one organisation and one user. */
export const LOCAL_ORGANISATION = LOCAL_ORGANISATION_ID;

/** Under a key of its own when the client gave none: a replica that does not answer may have done it all the same, and the next is asked. */
export function requestContext(config: GatewayConfig, clientKey: string) {
  const idempotencyKey = clientKey === '' ? randomUUID() : clientKey;
  const actor = { kind: 'user', id: 'local', name: config.BULLPEN_USER_NAME, email: config.BULLPEN_USER_EMAIL };
  return { organisationId: LOCAL_ORGANISATION, actor, idempotencyKey, traceparent: currentTrace()?.traceparent ?? '' };
}

/** What every command of a session begins with. @throws Rejection `session.not-found` for what is no id */
export function sessionCommand(config: GatewayConfig, sessionId: string, idempotencyKey: string) {
  if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
  return { context: requestContext(config, idempotencyKey), sessionId };
}
