import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import type { SessionFilter, SessionsChange } from '@bullpen/sync-protocol';

import { event, startTestGateway } from '../../../test/gateway.harness.js';
import type { TestGateway } from '../../../test/gateway.harness.js';
import { MemoryEventLog } from '../../../test/memory-event-log.js';
import { connectTo, disconnectAll, until } from '../../../test/sync-watcher.js';

interface Line {
  readonly sessionId: string;
  readonly status: string;
  readonly rev: string;
}

interface Question {
  readonly status: string;
  readonly query: string;
  readonly repositoryId: string;
  readonly sessionIds: readonly string[];
  readonly after: string;
}

const A = `00${'a'.repeat(26)}`;
const B = `00${'b'.repeat(26)}`;
/** Longer than changes are gathered for, and than an answer takes. */
const QUIET_MS = 600;

const log = new MemoryEventLog();
let gateway: TestGateway;
/** The list as the session service has it. */
let lines: readonly Line[] = [];
let asked: Question[] = [];
let answer: () => object | null = () => null;

beforeAll(async () => {
  gateway = await startTestGateway(log);
  gateway.calls['ListSessions'] = (request) => {
    const { status, sessionIds } = request as unknown as Question;
    asked.push(request as unknown as Question);
    const found = lines.filter((line) => sessionIds.includes(line.sessionId) && (status === '' || line.status === status));
    return answer() ?? { sessions: found, nextCursor: '', stale: false };
  };
});
beforeEach(() => {
  disconnectAll();
  lines = [];
  asked = [];
  answer = () => null;
});
afterAll(async () => {
  disconnectAll();
  await gateway.stop();
});

async function watch(filter?: SessionFilter) {
  const socket = connectTo(gateway.url);
  const changes: SessionsChange[] = [];
  const errors: { code: string; details: Record<string, unknown> }[] = [];
  socket.on('sessions.changed', (change: SessionsChange) => changes.push(change));
  socket.on('error', (error: (typeof errors)[number]) => errors.push(error));
  const request = filter === undefined ? {} : { filter };
  const acknowledgement = (await socket.timeout(5_000).emitWithAck('sessions.watch', request)) as Record<string, unknown>;
  return { socket, changes, errors, acknowledgement };
}

/** Something happened in the session, and its line says so. */
function change(sessionId: string, status = 'running', type = 'TurnStarted'): string {
  const { lastId: rev } = log.add({ entity: 'session', id: sessionId, name: 'core' }, [event(type, {})]);
  lines = [...lines.filter((line) => line.sessionId !== sessionId), { sessionId, status, rev }];
  return rev;
}

const revs = (changes: readonly SessionsChange[]): string[][] => changes.map(({ rows }) => rows.map(({ id, rev }) => `${id} ${rev}`).toSorted());

describe('sessions.watch', () => {
  it('names where the log stands, and pushes lines that change from then on, together', async () => {
    change(A);
    const { acknowledgement, changes } = await watch();
    expect(acknowledgement).toEqual({ ok: true, head: String((await log.lastSequence()) * 256), epoch: log.epoch });
    change(A);
    const [a, b] = [change(A), change(B)];
    await until(() => changes.length > 0);
    expect(revs(changes)).toEqual([[`${A} ${a}`, `${B} ${b}`]]);
    expect(asked).toMatchObject([{ sessionIds: [A, B], after: b, status: '' }]);
  });

  it('asks nothing while nobody watches', async () => {
    const { socket } = await watch();
    socket.disconnect();
    await sleep(50);
    change(A);
    await sleep(QUIET_MS);
    expect(asked).toEqual([]);
  });

  it('asks once for all who watch the same, and gives each its own', async () => {
    const [one, two, failed] = [await watch(), await watch({}), await watch({ status: 'failed', q: 'log in', repository: 'r1' })];
    const rev = change(A);
    await until(() => [one, two, failed].every(({ changes }) => changes.length > 0));
    expect(asked.map(({ status, query, repositoryId }) => [status, query, repositoryId]).toSorted()).toEqual([
      ['', '', ''],
      ['failed', 'log in', 'r1'],
    ]);
    expect([revs(one.changes), revs(two.changes)]).toEqual([[[`${A} ${rev}`]], [[`${A} ${rev}`]]]);
    expect(failed.changes).toEqual([{ rows: [], removed: [{ id: A, rev }] }]);
  });

  it('says once that a session is not in the list any more, and brings it back', async () => {
    const { changes } = await watch({ status: 'failed' });
    change(A, 'failed');
    await until(() => changes.length === 1);
    const gone = change(A);
    await until(() => changes.length === 2);
    expect(changes[1]).toEqual({ rows: [], removed: [{ id: A, rev: gone }] });
    change(A);
    await sleep(QUIET_MS);
    const back = change(A, 'failed');
    await until(() => changes.length === 3);
    expect(revs(changes.slice(2))).toEqual([[`${A} ${back}`]]);
  });

  it('pushes no line that stayed as it was', async () => {
    const { changes } = await watch();
    change(A);
    await until(() => changes.length === 1);
    log.add({ entity: 'session', id: A, name: 'agent' }, [event('AssistantTextAppended', { partId: '1.1', offset: 900, text: 'x' })]);
    await until(() => asked.length === 2);
    await sleep(100);
    expect(changes).toHaveLength(1);
  });

  it('asks again while the list is behind or away, and forgets nothing', async () => {
    const { changes } = await watch();
    const answers = [
      () => ({ sessions: [], nextCursor: '', stale: true }),
      () => {
        throw new Error('away');
      },
    ];
    answer = () => answers.shift()?.() ?? null;
    const a = change(A);
    await until(() => asked.length === 1);
    const b = change(B);
    await until(() => changes.length > 0);
    expect(revs(changes)).toEqual([[`${A} ${a}`, `${B} ${b}`]]);
    expect(changes[0]?.removed).toEqual([]);
    expect(asked).toHaveLength(3);
  });

  it('takes another filter in the place of the one before, and refuses what it cannot read', async () => {
    const { socket, changes } = await watch();
    expect(await socket.emitWithAck('sessions.watch', { filter: { status: 'failed' } })).toMatchObject({ ok: true });
    const rev = change(A);
    await until(() => changes.length > 0);
    expect(changes).toEqual([{ rows: [], removed: [{ id: A, rev }] }]);
    for (const junk of [null, 7, { filter: { status: 'asleep' } }, { filter: { q: 'x'.repeat(1_001) } }, { filter: 'all' }]) {
      expect(await socket.emitWithAck('sessions.watch', junk)).toMatchObject({ ok: false, code: 'request.invalid' });
    }
  });
});
