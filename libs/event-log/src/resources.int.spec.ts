import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import type { StoredEvent } from '@bullpen/contracts';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats } from '@bullpen/testing';
import type { TestNats } from '@bullpen/testing';

import { append } from './appender.js';
import { LogConnection } from './connection.js';
import type { Lane } from './event-log.js';
import { readLane, readSession } from './history.js';
import { newEntityId } from './ids.js';
import { listLeases } from './leases.js';

/** More than one batch of history. */
const MESSAGES = 300;

let nats: TestNats;
let connection: LogConnection;
const lane: Lane = { entity: 'session', id: newEntityId(), name: 'core' };

beforeAll(async () => {
  nats = await startTestNats();
  connection = await LogConnection.open({ url: nats.url, user: 'session', password: nats.passwords.session, logger: silentLogger });
  const event: StoredEvent = { type: 'Written', v: 1, at: '', actor: { kind: 'service', id: 't', name: 't' }, data: {} };
  for (let n = 0, expected = 0; n < MESSAGES; n += 1) {
    expected = (await append(connection, { lane, events: [event], expected, key: `${n}` })).sequence;
  }
});

afterAll(async () => {
  await connection?.close();
  await nats?.stop();
});

/** The client does not tell; its server would hold as many. */
function openSubscriptions({ nats: client }: LogConnection): number {
  const { protocol } = client as unknown as { protocol: { subscriptions: { size(): number } } };
  return protocol.subscriptions.size();
}

describe('A process that reads and appends for ever', () => {
  it('keeps no subscription of what it has read', async () => {
    const before = openSubscriptions(connection);
    for (let n = 0; n < 5; n += 1) {
      let read = 0;
      for await (const _ of readLane(connection, lane, 0)) read += 1;
      expect(read).toBe(MESSAGES);
    }
    for await (const _ of readSession(connection, lane.id, { after: '0' })) break;
    expect(openSubscriptions(connection)).toBe(before);
  });

  it('keeps no subscription of the leases that it looks at every few seconds', async () => {
    const orchestrator = await LogConnection.open({
      url: nats.url,
      user: 'orchestrator',
      password: nats.passwords.orchestrator,
      logger: silentLogger,
    });
    await listLeases(orchestrator);
    await orchestrator.js.publish('$KV.LEASES.one', 'r');
    const before = openSubscriptions(orchestrator);
    for (let n = 0; n < 5; n += 1) expect(await listLeases(orchestrator)).toHaveLength(1);
    expect(openSubscriptions(orchestrator)).toBe(before);
    await orchestrator.close();
  });

  it('keeps none of the answers it was given', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const answers: WeakRef<object>[] = [];
    for (let n = 0; n < 20; n += 1) {
      await connection.once(async () => {
        const answer = { bytes: new Uint8Array(1024) };
        answers.push(new WeakRef(answer));
        return answer;
      });
    }
    // A WeakRef is held until its turn of the event loop ends.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    expect(answers.filter((answer) => answer.deref() !== undefined)).toHaveLength(0);
  });
});
