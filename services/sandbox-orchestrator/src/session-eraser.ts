import { sandboxIdOf, sessionBranch } from '@bullpen/contracts';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import { Mirror } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import type { SessionLanes } from './adapters/nats/session-lanes.js';
import { CLOSABLE_LANES } from './core/sandbox.state.js';
import type { SandboxedSession } from './core/sandbox.state.js';

export interface SessionEraserParts {
  readonly driver: SandboxDriver;
  readonly lanes: SessionLanes;
  readonly mirrorsFolder: string;
  /** The platform's own repository, from which a deleted session's branch goes too. */
  readonly sampleRepository: string | null;
  readonly logger: Logger;
}

/**
 * Removes what a deleted session has outside the log: its sandboxes' folders and its branch in the mirrors. Then, and only then, it gives
 * the orchestrator's lanes their last event, so a crash anywhere before leads here again.
 */
export class SessionEraser {
  constructor(private readonly parts: SessionEraserParts) {}

  async erase(session: SandboxedSession, signal: AbortSignal): Promise<void> {
    const { driver, lanes, mirrorsFolder, sampleRepository, logger } = this.parts;
    const { sessionId, sandbox, work } = session;
    for (let generation = 1; generation <= (sandbox?.generation ?? 0); generation += 1) {
      await driver.remove(sandboxIdOf(sessionId, generation), { keepWorkspace: false }, signal);
    }
    if (work) {
      const ownSource = work.repository.source === sampleRepository ? sampleRepository : null;
      await Mirror.forgetBranch({ mirrorsFolder, repositoryId: work.repository.id, branch: sessionBranch(sessionId), ownSource });
    }
    for (const lane of CLOSABLE_LANES) await lanes.close(sessionId, lane);
    logger.info('session erased from sandboxes and mirrors', { sessionId });
  }
}
