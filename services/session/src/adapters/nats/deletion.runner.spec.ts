import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { SessionLane, StoredEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import type { EventLog, Lane, LogMessage } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { surroundings } from '../surroundings.js';
import { DeletionRunner } from './deletion.runner.js';

const [one, two] = ['00aaaaaaaaaaaaaaaaaaaaaaaaaa', '00bbbbbbbbbbbbbbbbbbbbbbbbbb'] as const;
/** More than two rounds of the runner. */
const A_WHILE_MS = 1_700;

/** What happens, in order: `append` is by the owners of the lanes. */
let messages: LogMessage[];
let done: string[];
let isDatabaseAway: boolean;
let runner: DeletionRunner;
let onMessage: (message: LogMessage) => void;

function append(id: string, name: SessionLane, type: string): void {
  const event: StoredEvent = { type, v: 1, at: '', actor: { kind: 'service', id: 's', name: '' }, data: {} };
  messages.push({ lane: { entity: 'session', id, name }, sequence: messages.length + 1, events: [event], frames: null });
  if (name === 'core') onMessage(messages.at(-1) as LogMessage);
}
function closeOthers(id: string): void {
  for (const name of ['sandbox', 'agent'] as const) append(id, name, 'LaneClosed');
}

const log: Pick<EventLog, 'tail' | 'laneEnd'> = {
  tail: async (_, listener) => {
    onMessage = (message) => void listener(message);
    for (const message of messages.filter(({ lane }) => lane.name === 'core')) onMessage(message);
    return { position: 0, reached: async () => undefined, stop: async () => undefined };
  },
  laneEnd: async ({ id, name }: Lane) => {
    const message = messages.findLast(({ lane }) => lane.id === id && lane.name === name) ?? null;
    return { sequence: message?.sequence ?? 0, message };
  },
};

function start(): void {
  runner = new DeletionRunner({
    log: log as EventLog,
    sessions: {
      handle: async (id, { type }) => {
        done.push(`${type} ${id}`);
        append(id, 'core', 'LaneClosed');
        return { state: { phase: 'deleted', laneClosed: true }, events: [], lastId: null };
      },
      load: () => Promise.reject(new Error('not needed')),
    },
    rows: {
      erase: async (sessionIds, sequence) => {
        if (isDatabaseAway) throw new Fault('session-list.behind', 'away');
        done.push(`erase ${sessionIds.join(' ')} ${sequence}`);
      },
    },
    surroundings,
    logger: silentLogger,
  });
  runner.start();
}
async function until(count: number): Promise<void> {
  for (const end = Date.now() + 10_000; done.length < count && Date.now() < end; ) await delay(20);
}

beforeEach(() => {
  [messages, done, isDatabaseAway, onMessage] = [[], [], false, () => undefined];
});
afterEach(() => runner.stop());

describe('DeletionRunner', () => {
  it('erases the rows once the other lanes are closed, and closes core after that', async () => {
    start();
    append(one, 'core', 'SessionDeleted');
    append(one, 'sandbox', 'LaneClosed');
    await delay(A_WHILE_MS);
    expect(done).toEqual([]);
    append(one, 'agent', 'LaneClosed');
    await until(2);
    expect(done).toEqual([`erase ${one} 1`, `CloseLane ${one}`]);
  });

  it('does together what can be done, and leaves the rest for later', async () => {
    start();
    append(one, 'core', 'SessionDeleted');
    append(two, 'core', 'SessionDeleted');
    closeOthers(two);
    await until(2);
    closeOthers(one);
    await until(4);
    expect(done).toEqual([`erase ${two} 2`, `CloseLane ${two}`, `erase ${one} 1`, `CloseLane ${one}`]);
  });

  it('keeps core open for as long as the rows cannot be erased', async () => {
    isDatabaseAway = true;
    start();
    append(one, 'core', 'SessionDeleted');
    closeOthers(one);
    await delay(A_WHILE_MS);
    expect(done).toEqual([]);
    isDatabaseAway = false;
    await until(2);
    expect(done).toEqual([`erase ${one} 1`, `CloseLane ${one}`]);
  });

  it('finds in the log what was left to do, and what is done already', async () => {
    append(one, 'core', 'SessionDeleted');
    append(two, 'core', 'SessionDeleted');
    closeOthers(one);
    closeOthers(two);
    append(one, 'core', 'LaneClosed');
    start();
    await until(2);
    expect(done).toEqual([`erase ${two} 2`, `CloseLane ${two}`]);
  });
});
