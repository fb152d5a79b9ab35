import { Inject, Injectable } from '@nestjs/common';

import { isEntityId } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

import { sessionNotFound } from '../log/event-pages.js';
import { SESSION_CALLS } from './rpc.providers.js';
import type { SessionCalls } from './rpc.providers.js';

export interface LoadedSession {
  /** Version of the fold. */
  readonly model: string;
  readonly state: SessionState;
}

/** Sessions as the session service folds them from the log. */
@Injectable()
export class SessionReader {
  constructor(@Inject(SESSION_CALLS) private readonly calls: SessionCalls) {}

  /** @throws Rejection `session.not-found`; Fault `session.unavailable` */
  async load(sessionId: string): Promise<LoadedSession> {
    if (!isEntityId(sessionId)) throw sessionNotFound(sessionId);
    const { stateJson, model } = await this.calls.getSession({ sessionId });
    return { model, state: JSON.parse(stateJson) as SessionState };
  }
}
