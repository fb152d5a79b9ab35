import type { EventData } from '@bullpen/contracts';

import type { SandboxedSession } from './sandbox.state.js';

/** The checkpoint whose commit is to be pushed; null when its outcome is in the log, or when it holds nothing new. */
export function planPush(session: SandboxedSession): EventData['CheckpointCreated'] | null {
  const { checkpoint, pushDecidedFor, work, fence, closed } = session;
  if (!checkpoint || !work || !fence || closed) return null;
  const isNew = checkpoint.sha !== checkpoint.base && checkpoint.bundle.sha256 !== '';
  return isNew && pushDecidedFor !== checkpoint.sha ? checkpoint : null;
}
