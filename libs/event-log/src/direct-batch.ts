import type { BatchCallback, StoredMsg } from '@nats-io/jetstream';
import { deferred, errors } from '@nats-io/transport-node';
import type { QueuedIterator } from '@nats-io/transport-node';

import { REQUEST_TIMEOUT_MS } from './connection.js';

/** One request for many messages. Any server that has a copy answers, so they may be a moment old; when there are none, the list is empty. */
export async function readDirectBatch(
  request: (callback: BatchCallback<StoredMsg>) => Promise<QueuedIterator<StoredMsg>>,
): Promise<readonly StoredMsg[]> {
  const batch: StoredMsg[] = [];
  const complete = deferred<void>();
  // The client waits for ever for the rest of a batch whose server is gone.
  const silence = setTimeout(() => complete.reject(new errors.TimeoutError()), REQUEST_TIMEOUT_MS).unref();
  const callback: BatchCallback<StoredMsg> = (done, message) => {
    silence.refresh();
    if (done === null) batch.push(message);
    else if (done.err) complete.reject(done.err);
    else complete.resolve();
  };
  try {
    // With a callback, and only then, the client lets go of the batch's subscription once the batch is stopped.
    const answers = await request(callback);
    await complete.finally(() => answers.stop());
    return batch;
  } finally {
    clearTimeout(silence);
  }
}
