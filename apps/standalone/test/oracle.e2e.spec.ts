import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { SessionEvent } from '@bullpen/contracts';

import { judge } from './faults/judgement.js';
import type { Witnessed } from './faults/judgement.js';
import { readSessionLog, withLog } from './faults/log-as-it-is.js';
import { settled, witness } from './faults/oracle.js';
import { seedsOfCommit } from './faults/seeds.js';
import { SlowTurn } from './faults/slow-turn.js';
import { TestPlatform } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: the fault suite's oracle can object. Method: the log of a real turn without a fault, and each time one thing that must never happen. */
const COMPLETED = { outcomes: ['completed'], failsWithinMs: 0 } as const;
let platform: TestPlatform;
let good: Witnessed;

beforeAll(async () => {
  platform = await TestPlatform.start();
  const turn = await SlowTurn.upTo(platform, seedsOfCommit('oracle', 1)[0] ?? 0, { firstEvent: 15 });
  await turn.strike(() => undefined);
  await turn.ended(60_000);
  good = await withLog(platform, async (log) => {
    await settled(turn, async () => (await log.sessionHead(turn.id)).id);
    return witness(turn, await readSessionLog(log, turn.id));
  });
}, 180_000);
afterAll(async () => {
  Watcher.closeAll();
  await platform?.remove();
}, 60_000);

type Change = (events: readonly SessionEvent[]) => readonly SessionEvent[];

const indexOf = (events: readonly SessionEvent[], type: string): number => {
  const index = events.findIndex((event) => event.type === type);
  if (index < 0) throw new Error(`no ${type}`);
  return index;
};
const without = (type: string): Change => (events) => events.toSpliced(indexOf(events, type), 1);
/** Appended once more, with an id of its own. */
const again = (type: string): Change => (events) => {
  const event = events[indexOf(events, type)];
  const last = events.at(-1);
  return event && last ? [...events, { ...event, id: String(BigInt(last.id) + 256n), prev: last.id }] : events;
};
const swapped: Change = (events) => events.with(9, events[10] as SessionEvent).with(10, events[9] as SessionEvent);
const edited = (type: string, data: SessionEvent['data']): Change => (events) => {
  const index = indexOf(events, type);
  const event = events[index] as SessionEvent;
  return events.with(index, { ...event, data: { ...event.data, ...data } });
};

/** In what one client holds. */
const atClient = (change: Change): Witnessed => ({ ...good, clients: good.clients.with(1, change(good.clients[1] ?? [])) });
/** In the log, as every client then got it. */
const inLog = (change: Change): Witnessed => {
  const events = change(good.log.events);
  return { ...good, log: { ...good.log, events }, clients: good.clients.map(() => events) };
};
const inFrames = (change: (frames: Witnessed['log']['frames']) => Witnessed['log']['frames']): Witnessed => ({
  ...good,
  log: { ...good.log, frames: change(good.log.frames) },
});
const middle = (frames: Witnessed['log']['frames']): number => Math.floor(frames.length / 2);

describe('the oracle', () => {
  it('has nothing against a turn without a fault', () => {
    expect(judge(good, COMPLETED)).toBe('completed');
  });

  const sabotaged: Readonly<Record<string, () => Witnessed>> = {
    'an event that a client lacks': () => atClient(without('ToolCallStarted')),
    'an event that a client has twice': () => atClient((events) => events.toSpliced(10, 0, events[9] as SessionEvent)),
    'two events that a client has in the other order': () => atClient(swapped),
    'an event that a client has with other bytes': () => atClient(edited('AssistantTextAppended', { text: 'other' })),
    'an event that is no longer in the log': () => ({ ...good, log: { ...good.log, events: without('ToolCallCompleted')(good.log.events) } }),
    'two events of the log in the other order': () => inLog(swapped),
    'an acknowledged prompt that is not in the log': () => inLog(without('PromptQueued')),
    'a prompt that is queued twice': () => inLog(again('PromptQueued')),
    'a prompt with other words': () => inLog(edited('PromptQueued', { text: 'other' })),
    'a turn that started twice': () => inLog(again('TurnStarted')),
    'an agent that got a prompt twice': () => inLog(again('AgentStarted')),
    'text that is there twice': () => inLog(again('AssistantTextAppended')),
    'text that is lost': () => inLog(without('AssistantTextAppended')),
    'a turn without a checkpoint': () => inLog(without('CheckpointCreated')),
    'a turn that failed': () => inLog(edited('TurnEnded', { outcome: 'failed', reason: { code: 'sandbox.lost' } })),
    'a generation that started twice': () => inLog(again('GenerationStarted')),
    'a frame that is appended twice': () => inFrames((frames) => frames.toSpliced(middle(frames), 0, frames[middle(frames)] as (typeof frames)[number])),
    'a frame that is left out': () => inFrames((frames) => frames.toSpliced(middle(frames), 1)),
    'a fault after the turn': () => ({ ...good, faultAt: Date.now() }),
  };
  it.each(Object.keys(sabotaged))('objects to %s', (name) => {
    expect(() => judge((sabotaged[name] as () => Witnessed)(), COMPLETED)).toThrow();
  });
});
