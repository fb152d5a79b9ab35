import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Actor, EventOf } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { Lane } from '@bullpen/event-log';

import { MemoryEventLog } from '../test/memory-event-log.js';
import { createCommandHandler, deciderSpecification } from './index.js';
import type { CommandMeta, Decider } from './index.js';

type Event = EventOf<'TurnStarted' | 'TurnEnded'>;
type Command = { readonly type: 'start'; readonly turnId: string; readonly attempt?: number } | { readonly type: 'end'; readonly turnId: string };
interface State {
  readonly running: string | null;
  readonly started: number;
}

const turns: Decider<State, Command, Event> = {
  initialState: () => ({ running: null, started: 0 }),
  decide: (command, state) => {
    if (command.type === 'end') {
      if (state.running !== command.turnId) return [];
      return [{ type: 'TurnEnded', data: { turnId: command.turnId, attempt: 1, outcome: 'completed' } }];
    }
    if (state.running === command.turnId) return [];
    if (state.running) throw new Rejection('turn.busy', 'Another turn runs.');
    return [{ type: 'TurnStarted', data: { turnId: command.turnId, promptId: 'p', attempt: command.attempt ?? 1 } }];
  },
  evolve: (state, event) => {
    if (event.type === 'TurnStarted') return { running: event.data.turnId, started: state.started + 1 };
    return event.type === 'TurnEnded' ? { ...state, running: null } : state;
  },
};

const ID = '00aaaaaaaaaaaaaaaaaaaaaaaaaa';
const lane = (id: string): Lane => ({ entity: 'session', id, name: 'core' });
const actor: Actor = { kind: 'user', id: 'u', name: 'Uma' };
const meta = (commandId: string): CommandMeta => ({ actor, commandId, at: '2026-11-23T07:00:00.000Z' });

describe('createCommandHandler', () => {
  let log: MemoryEventLog;
  const handler = () => createCommandHandler({ log, decider: turns, lane });
  beforeEach(() => {
    log = new MemoryEventLog();
  });

  it('appends what was decided, with actor, time and turn on the envelope', async () => {
    const handled = await handler().handle(ID, { type: 'start', turnId: 't1' }, { ...meta('c1'), traceparent: '00-trace' });
    expect(handled).toMatchObject({ state: { running: 't1', started: 1 }, lastId: '256' });
    expect(log.messages[0]?.events).toEqual([
      {
        type: 'TurnStarted',
        v: 1,
        at: '2026-11-23T07:00:00.000Z',
        actor,
        turnId: 't1',
        data: { turnId: 't1', promptId: 'p', attempt: 1 },
        traceparent: '00-trace',
      },
    ]);
    expect(log.keys).toEqual(['c1.1']);
  });

  it('keeps the trace that an event has of its own, and shows the decider what trace an event has', async () => {
    const seen: (string | undefined)[] = [];
    const decider: typeof turns = {
      ...turns,
      decide: (command, state) => turns.decide(command, state).map((event) => ({ ...event, traceparent: '00-earlier' })),
      evolve: (state, event) => (seen.push((event as { traceparent?: string }).traceparent), turns.evolve(state, event)),
    };
    const handled = await createCommandHandler({ log, decider, lane }).handle(ID, { type: 'start', turnId: 't1' }, { ...meta('c1'), traceparent: '00-mine' });
    expect(log.messages[0]?.events[0]?.traceparent).toBe('00-earlier');
    expect(handled.events[0]).toMatchObject({ traceparent: '00-earlier' });
    await handler().handle(ID, { type: 'end', turnId: 't1' }, { ...meta('c2'), traceparent: '00-mine' });
    expect(log.messages[1]?.events[0]?.traceparent).toBe('00-mine');
    await createCommandHandler({ log, decider, lane }).load(ID);
    expect(seen).toEqual(['00-earlier', '00-earlier', '00-mine']);
  });

  it('appends nothing when it is already so', async () => {
    const one = handler();
    await one.handle(ID, { type: 'start', turnId: 't1' }, meta('c1'));
    expect(await one.handle(ID, { type: 'start', turnId: 't1' }, meta('c2'))).toMatchObject({ events: [], lastId: null });
    expect(log.messages).toHaveLength(1);
  });

  it('lets the decider reject', async () => {
    const one = handler();
    await one.handle(ID, { type: 'start', turnId: 't1' }, meta('c1'));
    await expect(one.handle(ID, { type: 'start', turnId: 't2' }, meta('c2'))).rejects.toMatchObject({ code: 'turn.busy' });
  });

  it('refuses event data that the contract does not know', async () => {
    const wrong = { type: 'start', turnId: 't1', attempt: 'one' as unknown as number } as const;
    await expect(handler().handle(ID, wrong, meta('c1'))).rejects.toMatchObject({ code: 'event.invalid' });
    expect(log.messages).toHaveLength(0);
  });

  it('decides again on the new state when another process was faster', async () => {
    const here = handler();
    const there = handler();
    await here.handle(ID, { type: 'start', turnId: 't1' }, meta('a'));
    await there.handle(ID, { type: 'end', turnId: 't1' }, meta('b'));
    let interruptions = 0;
    log.beforeAppend = async (request) => {
      if (!request.key.startsWith('mine') || (interruptions += 1) > 1) return;
      await there.handle(ID, { type: 'start', turnId: 'theirs' }, meta('c'));
    };
    await expect(here.handle(ID, { type: 'start', turnId: 't2' }, meta('mine'))).rejects.toMatchObject({ code: 'turn.busy' });
    expect(log.keys).toEqual(['a.1', 'b.1', 'c.1']);
  });

  it('never answers from a stale cache: neither “already so” nor a rejection', async () => {
    const here = handler();
    const there = handler();
    await here.handle(ID, { type: 'start', turnId: 't1' }, meta('a'));
    await there.handle(ID, { type: 'end', turnId: 't1' }, meta('b'));
    // Here t1 still seems to run: starting it would seem done, starting another would seem forbidden.
    expect((await here.handle(ID, { type: 'start', turnId: 't1' }, meta('c'))).lastId).not.toBeNull();
    await there.handle(ID, { type: 'end', turnId: 't1' }, meta('d'));
    expect((await here.handle(ID, { type: 'start', turnId: 't2' }, meta('e'))).state).toEqual({ running: 't2', started: 3 });
  });

  it('reads the lane again after an append whose outcome it does not know', async () => {
    const here = handler();
    await here.handle(ID, { type: 'start', turnId: 't1' }, meta('a'));
    log.failNextAppend = true;
    await expect(here.handle(ID, { type: 'end', turnId: 't1' }, meta('b'))).rejects.toMatchObject({ code: 'log.unavailable' });
    expect((await here.handle(ID, { type: 'end', turnId: 't1' }, meta('c'))).events).toHaveLength(1);
  });

  it('finds its own append when the answer to it was lost, at once or when repeated', async () => {
    const here = handler();
    const there = handler();
    log.loseNextAnswer = async () => undefined;
    await expect(here.handle(ID, { type: 'start', turnId: 't1' }, meta('a'))).rejects.toMatchObject({ code: 'log.unavailable' });
    expect(await here.handle(ID, { type: 'start', turnId: 't1' }, meta('b'))).toMatchObject({ events: [], state: { started: 1 } });
    log.loseNextAnswer = async () => void (await there.handle(ID, { type: 'start', turnId: 't2' }, meta('d')));
    expect(await here.handle(ID, { type: 'end', turnId: 't1' }, meta('c'))).toMatchObject({ events: [], state: { running: 't2' } });
    expect(log.keys).toEqual(['a.1', 'c.1', 'd.1']);
  });

  it('gives up after a bounded number of lost races', async () => {
    const there = handler();
    let turn = 0;
    log.beforeAppend = async (request) => {
      if (!request.key.startsWith('mine')) return;
      turn += 1;
      await there.handle(ID, { type: 'start', turnId: `x${turn}` }, meta(`s${turn}`));
      await there.handle(ID, { type: 'end', turnId: `x${turn}` }, meta(`e${turn}`));
    };
    await expect(handler().handle(ID, { type: 'start', turnId: 'mine' }, meta('mine'))).rejects.toMatchObject({
      name: 'Fault',
      code: 'command.contended',
    });
    expect(turn).toBe(8);
  });

  it('lets many commands at once on one lane take turns', async () => {
    const one = handler();
    const all = Array.from({ length: 40 }, (_, n) => one.handle(ID, { type: 'start', turnId: 't1' }, meta(`c${n}`)));
    const handled = await Promise.all(all);
    expect(handled.filter(({ events }) => events.length > 0)).toHaveLength(1);
    const crowd = Array.from({ length: 65 }, (_, n) => one.handle(ID, { type: 'end', turnId: 'no' }, meta(`d${n}`)));
    const outcomes = await Promise.allSettled(crowd);
    expect(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))).toMatchObject([
      { name: 'Fault', code: 'command.busy' },
    ]);
  });
});

describe('deciderSpecification', () => {
  const started: Event = { type: 'TurnStarted', data: { turnId: 't1', promptId: 'p', attempt: 1 } };
  const specification = deciderSpecification(turns);

  it('accepts what holds', () => {
    specification.given([]).when({ type: 'start', turnId: 't1' }).then([started]);
    specification.given([started]).when({ type: 'start', turnId: 't1' }).thenNothing();
    specification.given([started]).when({ type: 'start', turnId: 't2' }).thenRejects('turn.busy');
  });

  it('fails on what does not hold', () => {
    expect(() => specification.given([]).when({ type: 'start', turnId: 't1' }).thenNothing()).toThrow();
    expect(() => specification.given([]).when({ type: 'start', turnId: 't1' }).then([])).toThrow();
    expect(() => specification.given([]).when({ type: 'start', turnId: 't1' }).thenRejects('turn.busy')).toThrow('expected a rejection');
    expect(() => specification.given([started]).when({ type: 'start', turnId: 't2' }).thenRejects('other')).toThrow();
    expect(() => specification.given([started]).when({ type: 'start', turnId: 't2' }).thenNothing()).toThrow('Another turn runs.');
  });
});
