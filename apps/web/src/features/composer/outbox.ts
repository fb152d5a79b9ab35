import { nextToSend, reduceOutbox } from './outbox-entries.js';
import type { Accepted, EntryState, OutboxChange, OutboxEntry, SendError } from './outbox-entries.js';

/** Between one try and the next while nobody answers; then it rests until the line is back or a person asks. */
const RETRY_DELAYS_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/** Where prompts outlive the page. */
export interface OutboxStorage {
  all: () => Promise<readonly OutboxEntry[]>;
  put: (entry: OutboxEntry) => Promise<void>;
  remove: (key: string) => Promise<void>;
}

export type SendResult =
  | Accepted
  /** Said no: the same again would be answered the same. */
  | { readonly is: 'refused'; readonly error: SendError }
  /** Nobody knows whether it arrived: it is sent again with its key. */
  | { readonly is: 'unclear'; readonly error: SendError };

export interface OutboxParts {
  readonly storage: OutboxStorage;
  readonly send: (entry: OutboxEntry) => Promise<SendResult>;
  /** Of all tabs one at a time. */
  readonly exclusively: (sessionId: string, work: () => Promise<void>) => Promise<void>;
  /** Tells other tabs that the storage changed. */
  readonly announce: () => void;
  readonly schedule: (work: () => void, delayMs: number) => void;
  readonly nextKey: () => string;
}

/**
 * Prompts from the moment they are written until the session shows them. Each is stored before it is sent, sent by one tab at a time and in
 * order, always with the same key: however often it is sent, the session gets it once.
 */
export class Outbox {
  #entries: readonly OutboxEntry[] = [];
  readonly #listeners = new Set<() => void>();
  /** Tries without an answer, by session. */
  readonly #tries = new Map<string, number>();

  constructor(private readonly parts: OutboxParts) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly getSnapshot = (): readonly OutboxEntry[] => this.#entries;

  /** Resolves once it is stored: only then may the draft go. It is sent after that. */
  async write({ sessionId, text, known }: Pick<OutboxEntry, 'sessionId' | 'text' | 'known'>): Promise<void> {
    await this.parts.storage.put({ key: this.parts.nextKey(), sessionId, text, known, state: { is: 'waiting', error: null } });
    await this.reload();
    this.parts.announce();
    void this.drain(sessionId);
  }

  /** What the storage holds, after another tab changed it. */
  async reload(): Promise<void> {
    this.#apply({ type: 'stored', entries: await this.parts.storage.all() });
  }

  /** Everything that an earlier page left unsent. */
  async resume(): Promise<void> {
    await this.reload();
    const sessions = new Set(this.#entries.map(({ sessionId }) => sessionId));
    for (const sessionId of sessions) void this.drain(sessionId);
  }

  /** A person asks for it, or the line is back: at once, and with all tries again. */
  async retry(sessionId: string, key?: string): Promise<void> {
    this.#tries.delete(sessionId);
    const failed = this.#entries.find((entry) => entry.key === key && entry.state.is === 'failed');
    if (failed !== undefined) await this.#keep(failed, { is: 'waiting', error: null });
    await this.drain(sessionId);
  }

  /** @returns its text, for who wants to edit it */
  async discard(key: string): Promise<string> {
    const text = this.#entries.find((entry) => entry.key === key)?.text ?? '';
    await this.parts.storage.remove(key);
    this.forget([key]);
    this.parts.announce();
    return text;
  }

  /** The session shows them now. */
  forget(keys: readonly string[]): void {
    this.#apply({ type: 'gone', keys });
  }

  /** Sends what waits, in order, until there is nothing left or nobody answers. */
  async drain(sessionId: string): Promise<void> {
    await this.parts.exclusively(sessionId, async () => {
      await this.reload();
      for (let entry = nextToSend(this.#entries, sessionId); entry !== null; entry = nextToSend(this.#entries, sessionId)) {
        if (!(await this.#send(entry))) return;
      }
    });
  }

  /** @returns whether the next one may follow */
  async #send(entry: OutboxEntry): Promise<boolean> {
    this.#apply({ type: 'changed', key: entry.key, state: { is: 'sending' } });
    const result = await this.parts.send(entry);
    switch (result.is) {
      case 'accepted':
        this.#tries.delete(entry.sessionId);
        this.#apply({ type: 'changed', key: entry.key, state: result });
        await this.parts.storage.remove(entry.key);
        this.parts.announce();
        return true;
      case 'refused':
        await this.#keep(entry, { is: 'failed', error: result.error });
        return true;
      case 'unclear':
        await this.#keep(entry, { is: 'waiting', error: result.error });
        this.#tryLater(entry.sessionId);
        return false;
    }
  }

  #tryLater(sessionId: string): void {
    const tries = this.#tries.get(sessionId) ?? 0;
    const delayMs = RETRY_DELAYS_MS[tries];
    if (delayMs === undefined) return;
    this.#tries.set(sessionId, tries + 1);
    this.parts.schedule(() => void this.drain(sessionId), delayMs);
  }

  async #keep(entry: OutboxEntry, state: EntryState): Promise<void> {
    await this.parts.storage.put({ ...entry, state });
    this.#apply({ type: 'changed', key: entry.key, state });
    this.parts.announce();
  }

  #apply(change: OutboxChange): void {
    this.#entries = reduceOutbox(this.#entries, change);
    for (const listener of this.#listeners) listener();
  }
}
