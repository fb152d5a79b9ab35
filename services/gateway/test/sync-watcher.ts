import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from '@jest/globals';
import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

import type { SessionEvent } from '@bullpen/contracts';
import type { Acknowledgement, SessionSnapshot, SubscribeRequest, SubscribeSuccess } from '@bullpen/sync-protocol';

import { TOKEN } from './gateway.harness.js';

const sockets: Socket[] = [];

export function disconnectAll(): void {
  for (const socket of sockets.splice(0)) socket.disconnect();
}

export interface ConnectOptions {
  readonly token?: string;
  readonly origin?: string;
}

export function connectTo(url: string, options: ConnectOptions = {}): Socket {
  const extraHeaders: Record<string, string> = options.origin === undefined ? {} : { origin: options.origin };
  const auth = { token: options.token ?? TOKEN };
  const socket = io(url, { transports: ['websocket'], auth, reconnection: false, forceNew: true, extraHeaders });
  sockets.push(socket);
  return socket;
}

export interface Watcher {
  readonly socket: Socket;
  readonly events: SessionEvent[];
  readonly snapshots: SessionSnapshot[];
  readonly heads: string[];
  readonly errors: { code: string; details: Record<string, unknown> }[];
  readonly subscribe: (request: SubscribeRequest) => Promise<Acknowledgement<SubscribeSuccess>>;
}

/** Keeps what a subscriber is sent, as it came. */
export function watchWith(socket: Socket): Watcher {
  const watcher: Watcher = {
    socket,
    events: [],
    snapshots: [],
    heads: [],
    errors: [],
    subscribe: (request) =>
      socket.timeout(5_000).emitWithAck('session.subscribe', request) as Promise<Acknowledgement<SubscribeSuccess>>,
  };
  socket.on('session.events', (batch: { events: SessionEvent[] }) => watcher.events.push(...batch.events));
  socket.on('session.snapshot', (snapshot: SessionSnapshot) => {
    watcher.snapshots.push(snapshot);
    watcher.events.push(...snapshot.tail);
  });
  socket.on('session.head', (message: { head: string }) => watcher.heads.push(message.head));
  socket.on('error', (error: Watcher['errors'][number]) => watcher.errors.push(error));
  return watcher;
}

export async function until(what: () => boolean, timeoutMs = 10_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; !what();) {
    if (Date.now() > end) throw new Error('this did not happen in time');
    await sleep(5);
  }
}

export const ids = (events: readonly SessionEvent[]): string[] => events.map((each) => each.id);

/** Each event once, in order, and each names the one before. */
export function expectClosed(events: readonly SessionEvent[], after: string | null): void {
  let prev = after;
  for (const each of events) {
    expect(each.prev).toBe(prev);
    prev = each.id;
  }
}

/** Small and repeatable: a linear congruential generator. */
export function generator(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
