import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

import type { SessionEvent } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

import { eventually } from './platform.harness.js';

interface Snapshot {
  readonly upTo: string;
  readonly state: SessionState;
  readonly tail: readonly SessionEvent[];
}

/** The platform, directly or by another way. */
interface Reachable {
  readonly url: string;
  readonly token: string;
}

const open = new Set<Watcher>();

/**
 * A plain socket.io-client that follows one session. It never repairs anything: an event out of order, twice, or with another `prev` than the
 * one before it becomes a line in `faults`.
 */
export class Watcher {
  readonly events: SessionEvent[] = [];
  readonly faults: string[] = [];
  readonly snapshots: Snapshot[] = [];
  /** When each event came, by this process's clock. */
  readonly arrivals: number[] = [];
  connections = 0;
  readonly socket: Socket;
  #last: string | null;

  private constructor(
    platform: Reachable,
    readonly sessionId: string,
    after: string | null,
    private readonly models: readonly string[],
  ) {
    this.#last = after;
    this.socket = io(platform.url, {
      transports: ['websocket'],
      auth: { token: platform.token },
      reconnectionDelay: 100,
      reconnectionDelayMax: 500,
      forceNew: true,
    });
    this.socket.on('connect', () => void this.#subscribe());
    this.socket.on('session.events', (batch: { sessionId: string; events: SessionEvent[] }) => this.#take(batch.events));
    this.socket.on('session.snapshot', (snapshot: Snapshot) => {
      this.snapshots.push(snapshot);
      this.#last = snapshot.upTo;
      this.#take(snapshot.tail);
    });
  }

  /** `after`: resume from an event id; null: everything from the start. */
  static follow(platform: Reachable, sessionId: string, after: string | null = '0', models: readonly string[] = []): Watcher {
    const watcher = new Watcher(platform, sessionId, after, models);
    open.add(watcher);
    return watcher;
  }

  /** Also those that a failing test left open. */
  static closeAll(): void {
    for (const watcher of open) watcher.close();
  }

  has(type: string, test: (event: SessionEvent) => boolean = () => true): boolean {
    return this.events.some((event) => event.type === type && test(event));
  }

  async sees(type: string, test: (event: SessionEvent) => boolean = () => true, withinMs = 20_000): Promise<SessionEvent> {
    await eventually(`${type}; seen: ${this.events.map((event) => event.type).join(' ')}; ${this.faults.join(' ')}`, withinMs, () =>
      this.has(type, test),
    );
    const found = this.events.find((event) => event.type === type && test(event));
    if (!found) throw new Error(type);
    return found;
  }

  text(): string {
    return this.events
      .filter((event) => event.type === 'AssistantTextAppended')
      .map((event) => String(event.data['text']))
      .join('');
  }

  /** As a network that fails does; the client comes back by itself. */
  breakConnection(): void {
    this.socket.io.engine?.close();
  }

  close(): void {
    open.delete(this);
    this.socket.disconnect();
  }

  async #subscribe(): Promise<void> {
    this.connections += 1;
    const answer = (await this.socket
      .timeout(10_000)
      .emitWithAck('session.subscribe', { sessionId: this.sessionId, ...(this.#last === null ? {} : { after: this.#last }), models: this.models })
      .catch((error: unknown) => ({ ok: false, message: String(error) }))) as { ok: boolean; code?: string; message?: string };
    if (answer.ok) return;
    if (this.socket.connected) setTimeout(() => void this.#subscribe(), 200);
    if (answer.code !== undefined && !answer.code.endsWith('unavailable')) this.faults.push(`refused: ${JSON.stringify(answer)}`);
  }

  #take(events: readonly SessionEvent[]): void {
    for (const event of events) {
      const expected = this.#last === '0' ? null : this.#last;
      if (event.prev !== expected) this.faults.push(`${event.id} ${event.type}: prev is ${event.prev}, not ${expected}`);
      if (this.#last !== null && BigInt(event.id) <= BigInt(this.#last)) this.faults.push(`${event.id} after ${this.#last}`);
      this.#last = event.id;
      this.events.push(event);
      this.arrivals.push(Date.now());
    }
  }
}
