import { beforeEach, describe, expect, it } from '@jest/globals';

import { Fault } from '@bullpen/errors';
import type { Handled } from '@bullpen/eventsourcing';

import type { Caller } from './caller.js';
import type { RepositoryOperations } from './repository-operations.js';
import { SessionOperations } from './session-operations.js';
import type { SessionOperationsParts } from './session-operations.js';
import type { SessionAggregate } from './session.aggregate.js';
import type { SessionCommand } from './session.commands.js';
import { sessionDecider } from './session.decider.js';
import type { SessionCoreEvent } from './session.events.js';
import { turnIdOf } from './session.events.js';

const caller = (idempotencyKey: string): Caller => ({
  organisationId: 'org',
  actor: { kind: 'user', id: 'local', name: 'Uma' },
  email: 'uma@example.org',
  idempotencyKey,
  traceparent: '',
});

/** Goal: what is asked again is answered as before, whatever became of the disk, and a refusal names what it is about. Method: the real rules on states in memory. */
describe('SessionOperations', () => {
  let states: Map<string, SessionAggregate>;
  let isFull: boolean;
  let sessions: SessionOperations;

  async function handle(id: string, command: SessionCommand): Promise<Handled<SessionAggregate, SessionCoreEvent>> {
    const before = states.get(id) ?? sessionDecider.initialState();
    const events = sessionDecider.decide(command, before);
    const state = events.reduce(sessionDecider.evolve, before);
    states.set(id, state);
    return { state, events, lastId: events.length > 0 ? '256' : null };
  }

  beforeEach(() => {
    states = new Map();
    isFull = false;
    let ids = 0;
    const parts: SessionOperationsParts = {
      sessions: { handle, load: async (id) => ({ state: states.get(id) ?? sessionDecider.initialState(), sequence: 1, closed: false }) },
      repositories: { use: async () => ({ repository: { id: 'r', name: 'sample', source: '/s' }, branch: 'main' }) } as unknown as RepositoryOperations,
      reader: { read: () => Promise.reject(new Error('nobody reads')) },
      room: {
        require: () => {
          if (isFull) throw new Fault('disk.full', 'full');
        },
      },
      surroundings: {
        newId: () => String((ids += 1)).padStart(26, '0'),
        derivedId: (...given) => [...given.join('').matchAll(/[0-9a-z]/g)].join('').slice(-32).padStart(26, '0'),
        hashOf: (value) => JSON.stringify(value),
        now: () => '2026-11-01T00:00:00.000Z',
      },
      defaults: { agents: ['pi'], agent: 'pi', model: 'm', modelProvider: 'scripted' },
    };
    sessions = new SessionOperations(parts);
  });

  const newSession = { repository: 'sample', branch: '', title: 'T', prompt: '', agent: '', model: '' };

  it('makes no session, prompt or attempt on a full disk, and changes nothing', async () => {
    const { sessionId } = await sessions.createSession(caller(''), newSession);
    const before = new Map(states);
    isFull = true;
    await expect(sessions.createSession(caller('k'), newSession)).rejects.toMatchObject({ code: 'disk.full' });
    await expect(sessions.queuePrompt(caller('k'), sessionId, 'x')).rejects.toMatchObject({ code: 'disk.full' });
    await expect(sessions.retryTurn(caller('k'), sessionId)).rejects.toMatchObject({ code: 'disk.full' });
    expect(states).toEqual(before);
  });

  it('answers as before what was done before the disk filled', async () => {
    const made = await sessions.createSession(caller('a'), newSession);
    const { sessionId } = made;
    const queued = await sessions.queuePrompt(caller('b'), sessionId, 'x');
    const failed = { outcome: 'failed', reason: { code: 'agent.crashed', message: 'gone' } } as const;
    await handle(sessionId, { type: 'EndTurn', turnId: turnIdOf(queued.promptId), attempt: 1, ending: failed });
    expect(await sessions.retryTurn(caller('c'), sessionId)).toMatchObject({ retrying: true });
    isFull = true;
    expect((await sessions.createSession(caller('a'), newSession)).sessionId).toBe(sessionId);
    expect(await sessions.queuePrompt(caller('b'), sessionId, 'x')).toEqual({ ...queued, lastId: null });
    await expect(sessions.queuePrompt(caller('b'), sessionId, 'y')).rejects.toMatchObject({ code: 'idempotency.mismatch' });
    expect(await sessions.retryTurn(caller('c'), sessionId)).toEqual({ retrying: true, lastId: null });
  });

  it('still deletes on a full disk', async () => {
    const { sessionId } = await sessions.createSession(caller(''), newSession);
    isFull = true;
    await sessions.deleteSession(caller(''), sessionId);
    expect(states.get(sessionId)?.phase).toBe('deleted');
  });

  it('names the session or prompt that it refuses', async () => {
    const refusal = (code: string, says: RegExp, details: object) => ({ code, message: expect.stringMatching(says) as unknown, details });
    const unknown = '0'.repeat(26);
    for (const id of [unknown, 'no id']) {
      await expect(sessions.queuePrompt(caller(''), id, 'x')).rejects.toMatchObject(refusal('session.not-found', new RegExp(`no session ${id}\\.`), { sessionId: id }));
    }
    const { sessionId } = await sessions.createSession(caller('a'), newSession);
    const another = sessions.createSession(caller('a'), { ...newSession, title: 'U' });
    await expect(another).rejects.toMatchObject(refusal('idempotency.mismatch', new RegExp(`it made session ${sessionId}\\. Use a new key`), { sessionId }));
    const { promptId } = await sessions.queuePrompt(caller('b'), sessionId, 'x');
    const other = sessions.queuePrompt(caller('b'), sessionId, 'y');
    await expect(other).rejects.toMatchObject(refusal('idempotency.mismatch', new RegExp(`prompt ${promptId} of session ${sessionId}`), { sessionId, promptId }));
    await handle(sessionId, { type: 'ArchiveSession', organisationId: 'org', sessionId, seen: null });
    await expect(sessions.queuePrompt(caller(''), sessionId, 'x')).rejects.toMatchObject(refusal('session.archived', new RegExp(sessionId), { sessionId }));
    await sessions.deleteSession(caller(''), sessionId);
    const again = sessions.createSession(caller('a'), newSession);
    await expect(again).rejects.toMatchObject(refusal('session.not-found', new RegExp(`${sessionId}.*was deleted\\. Use a new key`), { sessionId }));
  });
});
