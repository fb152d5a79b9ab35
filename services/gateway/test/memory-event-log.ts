import type { SessionEvent, StoredEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import { eventId, parseEventId, stampEvents } from '@bullpen/event-log';
import type {
  AppendRequest,
  EventLog,
  Lane,
  LaneEnd,
  LogMessage,
  ReadSessionOptions,
  SessionHead,
  Tail,
  TailOptions,
} from '@bullpen/event-log';

/** The log as the gateway sees it, in memory; `delay` lets a test hold back answers and deliveries. */
export class MemoryEventLog implements EventLog {
  readonly epoch = 'epoch-1';
  readonly #messages: LogMessage[] = [];
  readonly #tails = new Set<(message: LogMessage) => void>();
  delay: () => Promise<void> = () => Promise.resolve();
  down = false;

  async lastSequence(): Promise<number> {
    if (this.down) throw new Error('down');
    return this.#messages.length;
  }

  async append(request: AppendRequest): Promise<{ sequence: number; lastId: string }> {
    return this.add(request.lane, request.events);
  }

  add(lane: Lane, events: readonly StoredEvent[]): { sequence: number; lastId: string } {
    const sequence = this.#messages.length + 1;
    const message: LogMessage = { lane, sequence, events, frames: null };
    this.#messages.push(message);
    for (const deliver of this.#tails) deliver(message);
    return { sequence, lastId: eventId(sequence, events.length - 1) };
  }

  events(sessionId: string): SessionEvent[] {
    const all: SessionEvent[] = [];
    for (const message of this.#of(sessionId)) all.push(...stampEvents(message, all.at(-1)?.id ?? null));
    return all;
  }

  async sessionHead(sessionId: string): Promise<SessionHead> {
    await this.delay();
    const head = { id: this.events(sessionId).at(-1)?.id ?? '0', sequence: this.#of(sessionId).at(-1)?.sequence ?? 0 };
    await this.delay();
    return head;
  }

  async *readSession(sessionId: string, { after, throughSequence = Infinity }: ReadSessionOptions): AsyncIterable<SessionEvent> {
    const all = this.events(sessionId).filter((event) => (parseEventId(event.id)?.sequence ?? 0) <= throughSequence);
    const known = after === '0' || this.events(sessionId).some((event) => event.id === after);
    if (!known) throw new Rejection('event.unknown', `Session ${sessionId} has no event ${after}.`);
    for (const event of all) {
      if (Number(event.id) <= Number(after)) continue;
      await this.delay();
      yield event;
    }
  }

  /** Each delivery is late by `delay`, in order. */
  async tail({ fromSequence }: TailOptions, onMessage: (message: LogMessage) => void | Promise<void>): Promise<Tail> {
    let position = fromSequence - 1;
    let chain = Promise.resolve();
    const deliver = (message: LogMessage): void => {
      chain = chain.then(this.delay).then(async () => {
        await onMessage(message);
        position = message.sequence;
      });
    };
    this.#tails.add(deliver);
    const stop = async (): Promise<void> => void this.#tails.delete(deliver);
    return {
      get position() {
        return position;
      },
      reached: () => chain,
      stop,
    };
  }

  async laneEnd({ id, name }: Lane): Promise<LaneEnd> {
    await this.delay();
    const message = this.#of(id).findLast(({ lane }) => lane.name === name) ?? null;
    return { sequence: message?.sequence ?? 0, message };
  }

  readLane(): never {
    throw new Error('the gateway does not read lanes');
  }

  async close(): Promise<void> {}

  #of(sessionId: string): LogMessage[] {
    return this.#messages.filter((message) => message.lane.entity === 'session' && message.lane.id === sessionId);
  }
}
