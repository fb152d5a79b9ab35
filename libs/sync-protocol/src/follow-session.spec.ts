import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';

import type { SessionEvent } from '@bullpen/contracts';
import { evolveSession, foldSession, initialSessionState } from '@bullpen/session-model';

import { followSession } from './follow-session.js';
import type { FollowClock, SocketListener, SyncSocket } from './follow-session.js';
import { RETRY_DELAYS_MS } from './follow.states.js';
import type { Followed } from './follow.states.js';
import { HEAD_INTERVAL_MS } from './protocol.js';
import type { Acknowledgement, SubscribeRequest, SubscribeSuccess } from './protocol.js';

/**
 * Goal: whatever the network and the server do, what a follower ends with is the log: each event once, in order. Method: a world of
 * one log, one server and one wire that drops, repeats, delays and cuts at random; then it heals and time passes.
 */
const SESSION = '00session';

describe('followSession', () => {
  for (const models of [[], ['session.v1']]) {
    it(`delivers the log once and in order through cuts, losses, repeats and resets (models: ${models.join() || 'none'})`, () => {
      const actions = fc.array(
        fc.oneof(
          { weight: 6, arbitrary: fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }) },
          { weight: 8, arbitrary: fc.record({ do: fc.constant('transmit' as const), count: fc.integer({ min: 1, max: 4 }) }) },
          { weight: 3, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 10, max: 8_000 }) }) },
          fc.record({ do: fc.constantFrom('cut', 'lose', 'repeat', 'lag', 'refuse', 'head', 'oldHead', 'reset') }),
        ),
        { maxLength: 120 },
      );
      fc.assert(
        fc.property(actions, (script) => {
          const world = new World();
          const reader = new Reader();
          const following = followSession({
            socket: world.socket,
            sessionId: SESSION,
            models,
            clock: world.clock,
            maxAttempts: 1_000,
            onItem: (item) => reader.take(item),
          });
          for (const action of script) world.perform(action);
          world.heal();
          expect(reader.events).toEqual(world.log.slice(reader.from));
          expect(reader.state.head).toBe(world.log.at(-1)?.id ?? '0');
          following.close();
          expect(world.connections()).toBe(0);
        }),
        { numRuns: 300 },
      );
    });
  }

  it('resumes after a cut without a repeat, and says what happened', () => {
    const world = new World();
    const reader = new Reader();
    world.append(3);
    followSession({ socket: world.socket, sessionId: SESSION, clock: world.clock, onItem: (item) => reader.take(item) });
    world.transmit();
    world.cut();
    world.append(2);
    world.pass(RETRY_DELAYS_MS[0]);
    world.transmit();
    expect(reader.types).toEqual(['event', 'event', 'event', 'caughtUp', 'retrying', 'recovered', 'event', 'event', 'caughtUp']);
  });

  it('delivers nothing after close, not even the rest of a batch', () => {
    const world = new World();
    world.append(5);
    const seen: string[] = [];
    const following = followSession({
      socket: world.socket,
      sessionId: SESSION,
      clock: world.clock,
      onItem: (item) => {
        seen.push(item.type);
        if (seen.length === 2) following.close();
      },
    });
    world.transmit();
    expect(seen).toEqual(['event', 'event']);
  });

  it('ends with the refusal of the server', () => {
    const world = new World();
    const items: Followed[] = [];
    followSession({ socket: world.socket, sessionId: '00other', clock: world.clock, onItem: (item) => items.push(item) });
    world.transmit();
    expect(items).toMatchObject([{ type: 'failed', error: { code: 'session.not-found' } }]);
    expect(world.connections()).toBe(0);
  });
});

/** Keeps what it is told, as the CLI and the browser do. */
class Reader {
  events: SessionEvent[] = [];
  /** Index of the log's event after the last snapshot. */
  from = 0;
  state = initialSessionState(SESSION);
  readonly types: string[] = [];

  take(item: Followed): void {
    this.types.push(item.type);
    if (item.type === 'dropped') this.#reset(initialSessionState(SESSION), 0);
    if (item.type === 'snapshot') this.#reset(item.state, item.state.head === '0' ? 0 : Number(item.state.head) / 256);
    if (item.type !== 'event') return;
    if (item.event.prev !== (this.events.at(-1)?.id ?? (this.state.head === '0' ? null : this.state.head))) throw new Error('prev is not closed');
    this.events.push(item.event);
    this.state = evolveSession(this.state, item.event);
  }

  #reset(state: typeof this.state, from: number): void {
    this.events = [];
    this.from = from;
    this.state = state;
  }
}

type Action = { do: string; count?: number; ms?: number };
type Packet = { to: 'client' | 'server'; run: () => void };

class World {
  log: SessionEvent[] = [];
  epoch = 'e0';
  readonly #listeners = new Map<string, Set<SocketListener>>();
  readonly #timers = new Set<{ at: number; callback: () => void }>();
  #now = 0;
  #wire: Packet[] = [];
  #isConnected = false;
  #isRefusing = false;
  /** Position of the server's subscription; null when there is none. */
  #sent: number | null = null;
  #nextHeadAt = 0;

  readonly clock: FollowClock = {
    after: (delayMs, callback) => {
      const timer = { at: this.#now + delayMs, callback };
      this.#timers.add(timer);
      return () => this.#timers.delete(timer);
    },
  };

  readonly socket: SyncSocket = (() => {
    const world = this;
    return {
      get connected() {
        return world.#isConnected;
      },
      connect: () => world.#dial(),
      disconnect: () => world.cut(),
      on: (event: string, listener: SocketListener) => {
        const listeners = world.#listeners.get(event) ?? new Set();
        world.#listeners.set(event, listeners.add(listener));
      },
      off: (event: string, listener: SocketListener) => world.#listeners.get(event)?.delete(listener),
      emit: (_: string, request: SubscribeRequest, acknowledge: (answer: Acknowledgement<SubscribeSuccess>) => void) =>
        world.#wire.push({ to: 'server', run: () => world.#subscribe(request, acknowledge) }),
    };
  })();

  perform(action: Action): void {
    switch (action.do) {
      case 'append':
        return this.append(action.count);
      case 'transmit':
        return this.transmit(action.count);
      case 'pass':
        return this.pass(action.ms ?? 0);
      case 'cut':
        return this.cut();
      case 'lose':
        this.#wire = this.#wire.filter((packet, index) => index !== this.#firstToClient() || packet.to === 'server');
        return;
      case 'repeat': {
        const packet = this.#wire[this.#firstToClient()];
        if (packet) this.#wire.push(packet);
        return;
      }
      case 'lag':
        this.#sent = null;
        return this.#send('error', { code: 'sync.lagging', message: '', details: {} });
      case 'refuse':
        this.#isRefusing = !this.#isRefusing;
        return;
      case 'head':
        return this.#send('session.head', { sessionId: SESSION, head: this.#head() });
      case 'oldHead':
        return this.#send('session.head', { sessionId: SESSION, head: this.log.at(-3)?.id ?? '0' });
      case 'reset':
        return this.#reset();
    }
  }

  append(count = 1): void {
    for (let n = 0; n < count; n += 1) this.log.push(eventNumber(this.log.length + 1, this.epoch));
    this.#sendTail();
  }

  transmit(count = Number.POSITIVE_INFINITY): void {
    for (let n = 0; n < count; n += 1) {
      const packet = this.#wire.shift();
      if (!packet) return;
      packet.run();
    }
  }

  pass(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = until;
    if (this.#now < this.#nextHeadAt) return;
    this.#nextHeadAt = this.#now + HEAD_INTERVAL_MS;
    if (this.#sent !== null) this.#send('session.head', { sessionId: SESSION, head: this.#head() });
  }

  cut(): void {
    const was = this.#isConnected;
    this.#isConnected = false;
    this.#sent = null;
    this.#wire = [];
    if (was) this.#emit('disconnect');
  }

  heal(): void {
    this.#isRefusing = false;
    for (let second = 0; second < 90; second += 1) {
      this.transmit();
      this.pass(1_000);
    }
    this.transmit();
  }

  connections(): number {
    return Number(this.#isConnected) + [...this.#listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }

  #dial(): void {
    const refused = this.#isRefusing;
    this.#wire.push({
      to: 'client',
      run: () => {
        if (!refused) this.#isConnected = true;
        this.#emit(refused ? 'connect_error' : 'connect', new Error('websocket error'));
      },
    });
  }

  #subscribe({ after, models = [], sessionId }: SubscribeRequest, acknowledge: (answer: Acknowledgement<SubscribeSuccess>) => void): void {
    const reply = (answer: Acknowledgement<SubscribeSuccess>) => this.#wire.push({ to: 'client', run: () => acknowledge(answer) });
    const from = after === undefined || after === '0' ? 0 : this.log.findIndex((event) => event.id === after) + 1;
    if (sessionId !== SESSION) return void reply({ ok: false, code: 'session.not-found', message: '', details: {} });
    if (from === 0 && after !== undefined && after !== '0') return void reply({ ok: false, code: 'event.unknown', message: '', details: {} });
    // A real server may answer before or after its first events.
    const answersFirst = this.log.length % 2 === 0;
    const answer = { ok: true as const, head: this.#head(), epoch: this.epoch };
    if (answersFirst) reply(answer);
    this.#sent = from;
    if (after === undefined && models.length > 0) this.#sendSnapshot();
    this.#sendTail();
    if (!answersFirst) reply(answer);
  }

  #sendSnapshot(): void {
    const upTo = Math.floor(this.log.length / 2);
    const state = foldSession(SESSION, this.log.slice(0, upTo));
    const tail = this.log.slice(upTo);
    this.#send('session.snapshot', { sessionId: SESSION, epoch: this.epoch, model: 'session.v1', upTo: state.head, state, tail });
    this.#sent = this.log.length;
  }

  #sendTail(): void {
    if (this.#sent === null) return;
    for (; this.#sent < this.log.length; this.#sent += 3) {
      this.#send('session.events', { sessionId: SESSION, events: this.log.slice(this.#sent, this.#sent + 3) });
    }
    this.#sent = this.log.length;
  }

  /** The server comes back with a shorter log of another epoch, whose ids mean other events. */
  #reset(): void {
    this.cut();
    this.epoch = `${this.epoch}'`;
    this.log = this.log.slice(0, Math.floor(this.log.length / 2)).map((_, index) => eventNumber(index + 1, this.epoch));
  }

  #head(): string {
    return this.log.at(-1)?.id ?? '0';
  }

  #firstToClient(): number {
    return this.#wire.findIndex((packet) => packet.to === 'client');
  }

  #send(event: string, value: unknown): void {
    if (this.#isConnected) this.#wire.push({ to: 'client', run: () => this.#emit(event, value) });
  }

  #emit(event: string, value?: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(value);
  }
}

function eventNumber(n: number, epoch: string): SessionEvent {
  return {
    id: String(n * 256),
    prev: n === 1 ? null : String((n - 1) * 256),
    sessionId: SESSION,
    lane: 'agent',
    type: 'AssistantTextAppended',
    v: 1,
    at: '2026-11-23T10:00:00.000Z',
    actor: { kind: 'sandbox', id: `${SESSION}-1`, name: 'sandbox' },
    data: { partId: '1.1', offset: 0, text: `${n} of ${epoch}` },
  };
}
