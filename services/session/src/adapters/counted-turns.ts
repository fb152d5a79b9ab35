import { TURN_OUTCOMES } from '@bullpen/contracts';
import type { CommandHandler } from '@bullpen/eventsourcing';
import { counter } from '@bullpen/telemetry';

import type { SessionAggregate } from '../core/session.aggregate.js';
import type { SessionCommand } from '../core/session.commands.js';
import type { SessionCoreEvent } from '../core/session.events.js';

type Sessions = CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;

const turns = counter({
  name: 'bullpen_turns_total',
  help: 'Attempts at a prompt that ended, by how.',
  labels: { outcome: TURN_OUTCOMES },
});

/** The same handler; of the replicas, the one whose append ended a turn counts it. */
export function countTurns(sessions: Sessions): Sessions {
  return {
    load: (id) => sessions.load(id),
    handle: async (id, command, meta) => {
      const handled = await sessions.handle(id, command, meta);
      for (const event of handled.events) if (event.type === 'TurnEnded') turns.add({ outcome: event.data.outcome });
      return handled;
    },
  };
}
