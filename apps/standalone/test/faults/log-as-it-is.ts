import type { SessionEvent, SessionLane } from '@bullpen/contracts';
import { connectEventLog, eventId } from '@bullpen/event-log';
import type { EventLog, FrameRange, LogMessage } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import type { TestPlatform } from '../platform.harness.js';

const LANES: readonly SessionLane[] = ['core', 'sandbox', 'agent', 'artifact'];

export interface SessionLog {
  readonly events: readonly SessionEvent[];
  /** Of the agent lane's messages, in order: the frames that they name, and what they hold. */
  readonly frames: readonly (FrameRange & { readonly types: readonly string[] })[];
}

/** The log itself, read lane by lane and put together here, so that no reader of the product's is believed. */
export async function withLog<Result>(platform: TestPlatform, use: (log: EventLog) => Promise<Result>): Promise<Result> {
  const log = await connectEventLog({ ...platform.logAccess, user: 'gateway', logger: silentLogger });
  try {
    return await use(log);
  } finally {
    await log.close();
  }
}

export async function readSessionLog(log: EventLog, sessionId: string): Promise<SessionLog> {
  const messages: LogMessage[] = [];
  for (const name of LANES) {
    for await (const message of log.readLane({ entity: 'session', id: sessionId, name })) messages.push(message);
  }
  messages.sort((one, other) => one.sequence - other.sequence);
  const events: SessionEvent[] = [];
  for (const message of messages) {
    for (const [index, event] of message.events.entries()) {
      const prev = events.at(-1)?.id ?? null;
      const stamp = { id: eventId(message.sequence, index), prev, sessionId, lane: message.lane.name as SessionLane };
      events.push({ ...stamp, ...event });
    }
  }
  const frames = messages.flatMap((message) =>
    message.frames && message.lane.name === 'agent' ? [{ ...message.frames, types: message.events.map(({ type }) => type) }] : [],
  );
  return { events, frames };
}
