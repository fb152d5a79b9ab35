import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, describe, expect, it } from '@jest/globals';

import type { EventData, EventType, SessionLane } from '@bullpen/contracts';
import { Bug, Fault } from '@bullpen/errors';
import type { EventLog, LogMessage } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import type { TurnCheckpoint } from '../../core/ports.js';
import { surroundings } from '../surroundings.js';
import { TurnProcessRunner } from './turn-process.runner.js';

const SESSIONS = 40;
/** As many as are said at a time, and as often as one is tried again. */
const CONCURRENT = 16;
const RETRY_MS = 500;

function idOf(n: number): string {
  return `00${String(n).padStart(24, '0')}`;
}

/** A log that holds these messages and gets no more. */
function logOf(messages: readonly LogMessage[]): EventLog {
  const log: Pick<EventLog, 'epoch' | 'lastSequence' | 'tail'> = {
    epoch: 'e1',
    lastSequence: async () => messages.length,
    tail: async ({ fromSequence }, onMessage) => {
      for (const message of messages.slice(fromSequence - 1)) await onMessage(message);
      return { position: messages.length, reached: async () => undefined, stop: async () => undefined };
    },
  };
  return log as EventLog;
}

function messagesOf(sessions: number): LogMessage[] {
  const messages: LogMessage[] = [];
  const tell = <T extends EventType>(n: number, name: SessionLane, type: T, data: EventData[T]): void => {
    const event = { type, v: 1, at: '', actor: { kind: 'service', id: 's', name: '' }, data: data as never } as const;
    messages.push({ lane: { entity: 'session', id: idOf(n), name }, sequence: messages.length + 1, events: [event], frames: null });
  };
  for (let n = 0; n < sessions; n += 1) {
    tell(n, 'core', 'TurnStarted', { turnId: 't', promptId: 'p', attempt: 1 });
    tell(n, 'agent', 'AgentTurnFinished', { turnId: 't', attempt: 1, outcome: 'completed' });
  }
  return messages;
}

describe('TurnProcessRunner', () => {
  let runner: TurnProcessRunner | null = null;
  afterEach(() => runner?.stop());

  function start(messages: readonly LogMessage[], handle: (id: string) => Promise<void>, saved: TurnCheckpoint[] = []): void {
    runner = new TurnProcessRunner({
      log: logOf(messages),
      sessions: {
        handle: async (id) => {
          await handle(id);
          return { state: { phase: 'none' }, events: [], lastId: null };
        },
        load: () => Promise.reject(new Bug('not needed')),
      },
      checkpoints: { load: async () => saved.at(-1) ?? null, save: async (checkpoint) => void saved.push(checkpoint) },
      surroundings,
      logger: silentLogger,
    });
    runner.start();
  }

  it('says every ending once, however many wait', async () => {
    const said: string[] = [];
    start(messagesOf(SESSIONS), async (id) => void said.push(id));
    await delay(100);
    expect([...said].sort()).toEqual(Array.from({ length: SESSIONS }, (_, n) => idOf(n)));
  });

  it('pauses after a failure, however many wait, and says them all in the end', async () => {
    let calls = 0;
    let away = true;
    const said = new Set<string>();
    start(messagesOf(SESSIONS), async (id) => {
      calls += 1;
      if (away) throw new Fault('log.unavailable', 'The log is away.');
      said.add(id);
    });
    await delay(RETRY_MS / 2);
    expect(calls).toBe(CONCURRENT);
    away = false;
    await delay(RETRY_MS);
    expect(said.size).toBe(SESSIONS);
  });

  it('is not held up by a message that cannot be read', async () => {
    const [first, second] = messagesOf(1);
    if (!first || !second) throw new Bug('a turn has two messages');
    const broken = { ...second, events: [{ ...second.events[0], data: null }] } as unknown as LogMessage;
    const said: string[] = [];
    start([first, broken, { ...second, sequence: 3 }], async (id) => void said.push(id));
    await delay(50);
    expect(said).toEqual([idOf(0)]);
  });

  it('remembers where it is when it stops, and never less than it was told', async () => {
    const saved: TurnCheckpoint[] = [];
    start(messagesOf(2), async () => undefined, saved);
    await delay(50);
    await runner?.stop();
    expect(saved.at(-1)).toMatchObject({ epoch: 'e1', sequence: 4 });
    const count = saved.length;
    start(messagesOf(2), async () => undefined, saved);
    await runner?.stop();
    expect(saved.slice(count)).toEqual([]);
  });
});
