import type { Consumer, ConsumerMessages } from '@nats-io/jetstream';
import { deferred } from '@nats-io/transport-node';
import type { Deferred } from '@nats-io/transport-node';
import { describe, expect, it } from '@jest/globals';

import { silentLogger } from '@bullpen/telemetry';

import type { LogConnection } from './connection.js';
import { LogTail } from './tail.js';

/** A consumer that never delivers anything, until it is stopped. */
function idleConsumer(): { consumer: Consumer; messages: ConsumerMessages } {
  const stopped = deferred<void>();
  const messages = {
    stop: () => stopped.resolve(),
    status: async function* () {},
    [Symbol.asyncIterator]: () => ({ next: () => stopped.then(() => ({ done: true, value: undefined })) }),
  } as unknown as ConsumerMessages;
  const consumer = { consume: async () => messages, delete: async () => true } as unknown as Consumer;
  return { consumer, messages };
}

describe('LogTail', () => {
  it('stops while it is getting a new consumer, although nothing comes any more', async () => {
    const opening: Deferred<Consumer>[] = [];
    const get = (): Promise<Consumer> => {
      const next = deferred<Consumer>();
      opening.push(next);
      return next;
    };
    const run = <T>(operation: () => Promise<T>): Promise<T> => operation();
    const retry = <T>(_: string, operation: () => Promise<T>): Promise<T> => operation();
    const connection = { js: { consumers: { get } }, once: run, retry } as unknown as LogConnection;
    const starting = LogTail.start(connection, { fromSequence: 1, logger: silentLogger }, () => undefined);
    const first = idleConsumer();
    opening[0]?.resolve(first.consumer);
    const tail = await starting;
    first.messages.stop();
    while (opening.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const stopping = tail.stop();
    opening[1]?.resolve(idleConsumer().consumer);
    await stopping;
    expect(opening).toHaveLength(2);
  }, 2_000);

  it('lets nobody wait any longer once it is stopped', async () => {
    const get = async (): Promise<Consumer> => idleConsumer().consumer;
    const run = <T>(_: string, operation: () => Promise<T>): Promise<T> => operation();
    const connection = { js: { consumers: { get } }, retry: run } as unknown as LogConnection;
    const tail = await LogTail.start(connection, { fromSequence: 1, logger: silentLogger }, () => undefined);
    const waiting = tail.reached(7, 60_000);
    void tail.stop();
    for (const reached of [waiting, tail.reached(7, 60_000)]) await expect(reached).rejects.toMatchObject({ code: 'log.behind' });
  }, 2_000);
});
