import { describe, expect, it } from '@jest/globals';

import { Outbox } from './outbox.js';
import type { OutboxParts, OutboxStorage, SendResult } from './outbox.js';
import type { OutboxEntry } from './outbox-entries.js';

const SESSION = 's';
const NO_ANSWER: SendResult = { is: 'unclear', error: { code: 'network.unreachable', message: 'No answer.' } };
const REFUSED: SendResult = { is: 'refused', error: { code: 'queue.full', message: 'Too many wait.' } };

/** Storage that outlives pages, a lock over all tabs, and a platform that answers as told and counts a key once. */
class World {
  readonly stored = new Map<string, OutboxEntry>();
  readonly sent: string[] = [];
  readonly prompts = new Map<string, string>();
  readonly scheduled: { work: () => void; delayMs: number }[] = [];
  answers: (SendResult | 'lost')[] = [];
  #keys = 0;
  #lock: Promise<void> = Promise.resolve();

  readonly storage: OutboxStorage = {
    all: async () => [...this.stored.values()].toSorted((a, b) => a.key.localeCompare(b.key)),
    put: async (entry) => void this.stored.set(entry.key, structuredClone(entry)),
    remove: async (key) => void this.stored.delete(key),
  };

  tab(): Outbox {
    const parts: OutboxParts = {
      storage: this.storage,
      send: async (entry) => this.#send(entry),
      exclusively: (_, work) => {
        this.#lock = this.#lock.then(work);
        return this.#lock;
      },
      announce: () => undefined,
      schedule: (work, delayMs) => void this.scheduled.push({ work, delayMs }),
      nextKey: () => `k${String(this.#keys++).padStart(3, '0')}`,
    };
    return new Outbox(parts);
  }

  /** Until everything that was begun has ended. */
  async settle(): Promise<void> {
    for (let before: unknown = null; before !== this.#lock; ) {
      before = this.#lock;
      await this.#lock;
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  #send({ key, text }: OutboxEntry): SendResult {
    this.sent.push(text);
    const answer = this.answers.shift();
    if (answer !== undefined && answer !== 'lost') return answer;
    this.prompts.set(key, text);
    if (answer === 'lost') return NO_ANSWER;
    return { is: 'accepted', promptId: `p-${key}`, position: 1, head: '512' };
  }
}

const write = (outbox: Outbox, text: string): Promise<void> => outbox.write({ sessionId: SESSION, text, known: [] });
const states = (outbox: Outbox): string[] => outbox.getSnapshot().map(({ text, state }) => `${text} ${state.is}`);

describe('Outbox', () => {
  it('stores before it sends, and keeps what was accepted until the session shows it', async () => {
    const world = new World();
    const outbox = world.tab();
    await write(outbox, 'one');
    expect([...world.stored.values()].map(({ text }) => text)).toEqual(['one']);
    await world.settle();
    expect(world.sent).toEqual(['one']);
    expect(world.stored.size).toBe(0);
    expect(states(outbox)).toEqual(['one accepted']);
    outbox.forget(['k000']);
    expect(outbox.getSnapshot()).toEqual([]);
  });

  it('sends what an earlier page left, once, whichever tab comes first', async () => {
    const world = new World();
    await world.storage.put({ key: 'k-left', sessionId: SESSION, text: 'left', known: [], state: { is: 'waiting', error: null } });
    const [one, two] = [world.tab(), world.tab()];
    await Promise.all([one.resume(), two.resume()]);
    await world.settle();
    expect(world.sent).toEqual(['left']);
    expect([...one.getSnapshot(), ...two.getSnapshot()].map(({ state }) => state.is)).toEqual(['accepted']);
  });

  it('sends again with the same key when the answer was lost: one prompt', async () => {
    const world = new World();
    world.answers = ['lost'];
    const outbox = world.tab();
    await write(outbox, 'one');
    await world.settle();
    expect(states(outbox)).toEqual(['one waiting']);
    world.scheduled.shift()?.work();
    await world.settle();
    expect(states(outbox)).toEqual(['one accepted']);
    expect(world.sent).toEqual(['one', 'one']);
    expect([...world.prompts]).toEqual([['k000', 'one']]);
  });

  it('keeps the order while nobody answers', async () => {
    const world = new World();
    world.answers = [NO_ANSWER, NO_ANSWER];
    const outbox = world.tab();
    await write(outbox, 'one');
    await write(outbox, 'two');
    await world.settle();
    expect(world.sent).toEqual(['one', 'one']);
    await outbox.retry(SESSION);
    expect([...world.prompts.values()]).toEqual(['one', 'two']);
  });

  it('lets a refused prompt wait for a person and sends the next', async () => {
    const world = new World();
    world.answers = [REFUSED];
    const outbox = world.tab();
    await write(outbox, 'one');
    await write(outbox, 'two');
    await world.settle();
    expect(states(outbox)).toEqual(['one failed', 'two accepted']);

    const reloaded = world.tab();
    await reloaded.resume();
    await world.settle();
    expect(states(reloaded)).toEqual(['one failed']);
    expect(world.sent).toEqual(['one', 'two']);
    await reloaded.retry(SESSION, 'k000');
    expect(states(reloaded)).toEqual(['one accepted']);
  });

  it('gives the text back when it is discarded, and never sends it', async () => {
    const world = new World();
    world.answers = [REFUSED];
    const outbox = world.tab();
    await write(outbox, 'one');
    await world.settle();
    await expect(outbox.discard('k000')).resolves.toBe('one');
    await outbox.retry(SESSION, 'k000');
    expect([outbox.getSnapshot(), world.stored.size, world.sent]).toEqual([[], 0, ['one']]);
  });

  it('stops trying after a while, and tries again when asked', async () => {
    const world = new World();
    world.answers = Array.from({ length: 6 }, () => NO_ANSWER);
    const outbox = world.tab();
    await write(outbox, 'one');
    await world.settle();
    const delays: number[] = [];
    for (let next = world.scheduled.shift(); next !== undefined; next = world.scheduled.shift()) {
      delays.push(next.delayMs);
      next.work();
      await world.settle();
    }
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 15_000]);
    await outbox.retry(SESSION);
    expect(states(outbox)).toEqual(['one accepted']);
  });
});
