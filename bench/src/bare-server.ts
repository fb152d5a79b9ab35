import { createServer } from 'node:http';

import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { JetStreamClient } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { Server } from 'socket.io';

import { BARE_STREAM_NAME, BARE_SUBJECT } from './bare-names.js';
import type { Load } from './load-runner.js';

/** The bare path, in a process of its own: publish to JetStream, an ordered consumer, a Socket.IO emit. Nothing else. */
const MAX_IN_FLIGHT = 500;
const TICK_MS = 5;

export interface BareOrder extends Load {
  readonly kind: 'publish';
}

const [url, user, password] = process.argv.slice(2);
if (!url || !user || !password) throw new Error('bare-server needs URL, user and password');
const connection = await connect({ servers: url, user, pass: password, inboxPrefix: `_INBOX_${user}` });
const manager = await jetstreamManager(connection);
await manager.streams.add({ name: BARE_STREAM_NAME, subjects: [BARE_SUBJECT] });
const js = jetstream(connection);

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
const consumer = await js.consumers.get(BARE_STREAM_NAME);
void (async () => {
  for await (const message of await consumer.consume()) io.emit('event', message.json());
})();

http.listen(0, '127.0.0.1', () => process.send?.({ kind: 'ready', port: (http.address() as { port: number }).port }));
process.on('message', (order: BareOrder) => void publish(js, order));
process.on('disconnect', () => process.exit(0));

async function publish(client: JetStreamClient, load: Load): Promise<void> {
  let inFlight = 0;
  const begun = performance.now();
  for (let made = 0; made < load.events; ) {
    const due = load.perSecond === 0 ? load.events : Math.floor(((performance.now() - begun) / 1_000) * load.perSecond);
    for (; made < Math.min(due, load.events) && inFlight < MAX_IN_FLIGHT; made += 1) {
      inFlight += 1;
      const text = `${(performance.timeOrigin + performance.now()).toFixed(3)} `.padEnd(load.bytes, 'x');
      void client.publish(BARE_SUBJECT, JSON.stringify({ n: made, text })).finally(() => (inFlight -= 1));
    }
    await new Promise((resolve) => (load.perSecond === 0 ? setImmediate(resolve) : setTimeout(resolve, TICK_MS)));
  }
}

