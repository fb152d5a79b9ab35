import 'reflect-metadata';

import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Client } from '@connectrpc/connect';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { SessionService } from '@bullpen/contracts';
import type { EventData, EventType, SessionEvent, StoredEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import { connectEventLog } from '@bullpen/event-log';
import type { EventLog, FrameRange } from '@bullpen/event-log';
import { createRpcClient, startRpcServer } from '@bullpen/rpc';
import type { RpcServer } from '@bullpen/rpc';
import type { SessionState } from '@bullpen/session-model';
import { silentLogger } from '@bullpen/telemetry';
import { freePort, startTcpProxy, startTestNats, startTestPostgres } from '@bullpen/testing';

import { Database } from './adapters/postgres/database.js';
import { createSessionList } from './adapters/postgres/session-list.js';
import { startSession } from './index.js';
import type { SessionConfig } from './index.js';

const KEY = 'key of this test';
const ORGANISATION = '000000000000000000000local';
const probes: { source: string; branch: string }[] = [];

@Controller()
class FakeOrchestrator {
  @GrpcMethod('SandboxOrchestratorService', 'ProbeRepository')
  probe({ source, branch }: { source: string; branch: string }): object {
    probes.push({ source, branch });
    if (source === '/missing') throw new Rejection('repository.not-found', 'Nothing at /missing.', { source });
    if (branch === 'gone') throw new Rejection('repository.branch-missing', 'No branch gone.', { branch });
    const canonicalSource = source.replace(/\/$/, '');
    const name = canonicalSource.split('/').at(-1);
    return { canonicalSource, name, defaultBranch: 'main', branch: branch || 'main', headSha: 'a'.repeat(40) };
  }
}

@Module({ controllers: [FakeOrchestrator] })
class FakeOrchestratorModule {}

describe('the session service', () => {
  let nats: Awaited<ReturnType<typeof startTestNats>>;
  let postgres: Awaited<ReturnType<typeof startTestPostgres>>;
  let proxy: Awaited<ReturnType<typeof startTcpProxy>>;
  let orchestrator: RpcServer;
  let service: RpcServer;
  let config: SessionConfig;
  let sessions: Client<typeof SessionService>;
  /** Writes what the orchestrator would. */
  let sandboxLog: EventLog;

  beforeAll(async () => {
    [nats, postgres] = await Promise.all([startTestNats(), startTestPostgres()]);
    sandboxLog = await connectEventLog({
      url: nats.url,
      user: 'orchestrator',
      password: nats.passwords.orchestrator,
      logger: silentLogger,
    });
    const database = new URL(postgres.url);
    proxy = await startTcpProxy({ port: Number(database.port) });
    database.hostname = '127.0.0.1';
    database.port = String(proxy.port);
    const [orchestratorPort, sessionPort, healthPort] = [await freePort(), await freePort(), await freePort()];
    orchestrator = await startRpcServer({
      module: FakeOrchestratorModule,
      package: 'bullpen.orchestrator.v1',
      port: orchestratorPort,
      key: KEY,
      logger: silentLogger,
    });
    config = {
      NATS_URL: nats.url,
      SESSION_NATS_PASSWORD: nats.passwords.session,
      DATABASE_URL: database.href,
      BULLPEN_RPC_KEY: KEY,
      SESSION_GRPC_PORT: sessionPort,
      SESSION_HEALTH_PORT: healthPort,
      ORCHESTRATOR_GRPC_URL: `http://127.0.0.1:${orchestratorPort}`,
      BULLPEN_SAMPLE_REPOSITORY: '/srv/the-sample',
      BULLPEN_MODEL_PROVIDER: 'scripted',
      BULLPEN_MODEL: 'scripted-1',
    };
    service = await startSession(config, silentLogger);
    sessions = createRpcClient(SessionService, { url: `http://127.0.0.1:${sessionPort}`, key: KEY, timeoutMs: 15_000 });
  }, 60_000);

  afterAll(async () => {
    await service.close();
    await orchestrator.close();
    await sandboxLog.close();
    await proxy.stop();
    await Promise.all([nats.stop(), postgres.stop()]);
  }, 30_000);

  const contextOf = (idempotencyKey = '', organisationId = ORGANISATION) => ({
    organisationId,
    actor: { kind: 'user', id: 'local', name: 'Uma', email: 'uma@example.org' },
    idempotencyKey,
    traceparent: '',
  });
  const create = (request: { repository?: string; prompt?: string; title?: string; branch?: string; agent?: string }, key = '') =>
    sessions.createSession({ context: contextOf(key), repository: 'sample', ...request });
  const prompt = (sessionId: string, text: string, key = '') => sessions.queuePrompt({ context: contextOf(key), sessionId, text });
  const stateOf = async (sessionId: string): Promise<SessionState> =>
    JSON.parse((await sessions.getSession({ sessionId })).stateJson) as SessionState;
  const eventsOf = async (sessionId: string): Promise<SessionEvent[]> => {
    const events: SessionEvent[] = [];
    for await (const event of sandboxLog.readSession(sessionId, { after: '0' })) events.push(event);
    return events;
  };

  async function tell<T extends EventType>(sessionId: string, lane: 'agent' | 'sandbox', type: T, data: EventData[T]): Promise<string> {
    const where = { entity: 'session', id: sessionId, name: lane } as const;
    const end = await sandboxLog.laneEnd(where);
    const actor = { kind: 'sandbox', id: `${sessionId}-1`, name: 'sandbox' } as const;
    const event: StoredEvent = { type, v: 1, at: new Date().toISOString(), actor, data: data as never };
    const last = (end.message?.frames?.last ?? 0) + 1;
    const frames: FrameRange = { sandboxId: `${sessionId}-1`, generation: 1, first: last, last };
    const request = { lane: where, events: [event], expected: end.sequence, key: `${sessionId}:${lane}:${end.sequence}` };
    return (await sandboxLog.append(lane === 'agent' ? { ...request, frames } : request)).lastId;
  }
  const agentStarts = (sessionId: string, turnId: string, attempt = 1) =>
    tell(sessionId, 'agent', 'AgentStarted', { turnId, attempt, agent: 'pi', model: 'scripted-1', conversation: 'new' });
  const agentFinishes = (sessionId: string, turnId: string, outcome: 'completed' | 'failed' | 'cancelled' = 'completed', attempt = 1) =>
    tell(sessionId, 'agent', 'AgentTurnFinished', { turnId, attempt, outcome });
  const noSandbox = (sessionId: string) =>
    tell(sessionId, 'sandbox', 'SandboxStageEntered', {
      stage: 'failed',
      generation: 3,
      sandboxId: `${sessionId}-3`,
      startedAt: new Date().toISOString(),
      reason: { code: 'spawn.failed', message: 'bwrap is missing' },
    });
  async function until(sessionId: string, holds: (state: SessionState) => boolean, timeoutMs = 8_000): Promise<SessionState> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const state = await stateOf(sessionId);
      if (holds(state)) return state;
      if (Date.now() > end) throw new Error(`not so in time: ${JSON.stringify(state)}`);
      await delay(20);
    }
  }
  async function untilListed(head: string, timeoutMs = 15_000): Promise<void> {
    const end = Date.now() + timeoutMs;
    for (;;) {
      const page = await sessions.listSessions({ organisationId: ORGANISATION, after: head, limit: 1 }).catch(() => null);
      if (page?.stale === false) return;
      if (Date.now() > end) throw new Error('the list did not catch up');
      await delay(50);
    }
  }
  /** After a disturbance: the next test may ask the list for what it has just done. */
  const calm = async (): Promise<void> => untilListed((await create({})).head);
  const readiness = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${config.SESSION_HEALTH_PORT ?? 0}/readyz`)).json();
  const turnStates = (state: SessionState) => state.turns.map((turn) => [turn.prompt, turn.attempt, turn.state]);

  describe('CreateSession', () => {
    it('makes the session, its prompt and its turn in one append, on the sample', async () => {
      const { sessionId, promptId, head } = await create({ prompt: 'write hello.txt\nand more' });
      const events = await eventsOf(sessionId);
      expect(events.map(({ type }) => type)).toEqual(['SessionCreated', 'PromptQueued', 'TurnStarted']);
      expect(new Set(events.map(({ id }) => Math.floor(Number(id) / 256))).size).toBe(1);
      expect(events.at(-1)?.id).toBe(head);
      const state = await stateOf(sessionId);
      expect(state).toMatchObject({
        head,
        title: 'write hello.txt',
        status: 'queued',
        repository: { name: 'sample', source: '/srv/the-sample' },
        branch: 'main',
        agent: 'pi',
        model: 'scripted-1',
        modelProvider: 'scripted',
      });
      expect(state.turns).toMatchObject([{ promptId, state: 'starting', author: { name: 'Uma', email: 'uma@example.org' } }]);
    });

    it('knows a repository once, by source and by id', async () => {
      const one = await stateOf((await create({ repository: '/srv/shop' })).sessionId);
      const two = await stateOf((await create({ repository: '/srv/shop/', branch: 'next' })).sessionId);
      const three = await stateOf((await create({ repository: one.repository?.id ?? '' })).sessionId);
      expect(one.repository).toMatchObject({ name: 'shop', source: '/srv/shop' });
      expect([two.repository, three.repository]).toEqual([one.repository, one.repository]);
      expect([one.title, one.status, two.branch]).toEqual(['shop', 'idle', 'next']);
      const lane = { entity: 'repository', id: one.repository?.id ?? '', name: 'core' } as const;
      const types: string[] = [];
      for await (const { events } of sandboxLog.readLane(lane)) types.push(...events.map(({ type }) => type));
      expect(types).toEqual(['RepositoryAdded']);
    });

    it('answers a repeated request with the same session, without probing again, and refuses another under its key', async () => {
      const first = await create({ prompt: 'once' }, 'key-1');
      const before = probes.length;
      const again = await create({ prompt: 'once' }, 'key-1');
      expect(again).toMatchObject({ sessionId: first.sessionId, promptId: first.promptId, head: first.head });
      expect(probes).toHaveLength(before);
      await expect(create({ prompt: 'twice' }, 'key-1')).rejects.toMatchObject({ code: 'idempotency.mismatch' });
      const racing = await Promise.all(Array.from({ length: 5 }, () => create({ prompt: 'race' }, 'key-2')));
      expect(new Set(racing.map(({ sessionId }) => sessionId)).size).toBe(1);
      expect(await eventsOf(racing[0]?.sessionId ?? '')).toHaveLength(3);
    });

    it.each([
      ['a repository that is not there', { repository: '/missing' }, 'repository.not-found'],
      ['an id of no repository', { repository: '00aaaaaaaaaaaaaaaaaaaaaaaaaa' }, 'repository.not-found'],
      ['no repository', { repository: '' }, 'repository.missing'],
      ['a branch that is not there', { branch: 'gone' }, 'repository.branch-missing'],
      ['an agent that nobody knows', { agent: 'nobody' }, 'agent.unknown'],
      ['a prompt of blanks', { prompt: '  ' }, 'prompt.empty'],
      ['a prompt over 128 KiB', { prompt: 'x'.repeat(128 * 1024 + 1) }, 'prompt.too-large'],
      ['a title that is too long', { title: 'x'.repeat(201) }, 'title.too-long'],
    ])('rejects %s', async (_, request, code) => {
      await expect(create(request)).rejects.toMatchObject({ name: 'Rejection', code });
    });
  });

  it('tells an unknown session, a malformed id and another organisation the same', async () => {
    const { sessionId } = await create({});
    for (const id of ['00zzzzzzzzzzzzzzzzzzzzzzzzzz', 'no id', '*']) {
      await expect(sessions.getSession({ sessionId: id })).rejects.toMatchObject({ code: 'session.not-found' });
      await expect(prompt(id, 'x')).rejects.toMatchObject({ code: 'session.not-found' });
    }
    const context = contextOf('', 'another-organisation');
    await expect(sessions.queuePrompt({ context, sessionId, text: 'x' })).rejects.toMatchObject({ code: 'session.not-found' });
    await expect(sessions.queuePrompt({ sessionId, text: 'x' })).rejects.toMatchObject({ code: 'request.invalid' });
  });

  it('runs prompts one after the other, each started by the end of the one before', async () => {
    const { sessionId } = await create({});
    expect(await prompt(sessionId, 'one', 'a')).toMatchObject({ position: 0 });
    const two = await prompt(sessionId, 'two', 'b');
    expect(two.position).toBe(1);
    expect(await prompt(sessionId, 'two', 'b')).toMatchObject({ promptId: two.promptId, position: 1, head: two.head });
    await expect(prompt(sessionId, 'other', 'b')).rejects.toMatchObject({ code: 'idempotency.mismatch' });
    const [first] = (await stateOf(sessionId)).turns;
    await agentStarts(sessionId, first?.turnId ?? '');
    await agentFinishes(sessionId, first?.turnId ?? '');
    const state = await until(sessionId, ({ turns }) => turns.length === 2);
    expect(turnStates(state)).toEqual([
      ['one', 1, 'completed'],
      ['two', 1, 'starting'],
    ]);
    const core = (await eventsOf(sessionId)).filter(({ type }) => type === 'TurnEnded' || type === 'TurnStarted').slice(-2);
    expect(core.map(({ type, actor }) => [type, actor.kind])).toEqual([
      ['TurnEnded', 'service'],
      ['TurnStarted', 'service'],
    ]);
    expect(core[1]?.prev).toBe(core[0]?.id);
  });

  it('cancels at once before an agent has begun, and asks the agent after', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    expect(await sessions.cancelTurn({ context: contextOf(), sessionId })).toMatchObject({ cancelling: true });
    const state = await stateOf(sessionId);
    expect(turnStates(state)).toEqual([
      ['one', 1, 'cancelled'],
      ['two', 1, 'starting'],
    ]);
    const turnId = state.runningTurnId ?? '';
    await agentStarts(sessionId, turnId);
    expect(await sessions.cancelTurn({ context: contextOf(), sessionId })).toMatchObject({ cancelling: true });
    const asked = await sessions.cancelTurn({ context: contextOf(), sessionId });
    expect(asked.cancelling).toBe(true);
    expect(turnStates(await stateOf(sessionId)).at(-1)).toEqual(['two', 1, 'cancelling']);
    expect((await eventsOf(sessionId)).at(-1)?.id).toBe(asked.head);
    await agentFinishes(sessionId, turnId, 'cancelled');
    await until(sessionId, (now) => now.turns.at(-1)?.state === 'cancelled');
    expect(await sessions.cancelTurn({ context: contextOf(), sessionId })).toMatchObject({ cancelling: false });
  });

  it('cancels and retries once under one key, also when the next turn runs by then', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    const cancelled = await sessions.cancelTurn({ context: contextOf('cancel'), sessionId });
    expect(await sessions.cancelTurn({ context: contextOf('cancel'), sessionId })).toEqual(cancelled);
    const state = await stateOf(sessionId);
    expect(turnStates(state).at(-1)).toEqual(['two', 1, 'starting']);
    const turnId = state.runningTurnId ?? '';
    const fail = async (attempt: number): Promise<void> => {
      await agentStarts(sessionId, turnId, attempt);
      await agentFinishes(sessionId, turnId, 'failed', attempt);
      await until(sessionId, ({ runningTurnId }) => runningTurnId === null);
    };
    await fail(1);
    expect(await sessions.retryTurn({ context: contextOf('retry'), sessionId })).toMatchObject({ retrying: true });
    await fail(2);
    expect(await sessions.retryTurn({ context: contextOf('retry'), sessionId })).toMatchObject({ retrying: true });
    expect(turnStates(await stateOf(sessionId)).at(-1)).toEqual(['two', 2, 'failed']);
  });

  it('keeps a turn cancelled whose agent began at that moment, and leaves the next to its own agent', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    const one = (await stateOf(sessionId)).runningTurnId ?? '';
    await sessions.cancelTurn({ context: contextOf(), sessionId });
    await agentStarts(sessionId, one);
    const two = (await stateOf(sessionId)).runningTurnId ?? '';
    await agentFinishes(sessionId, one, 'cancelled');
    await agentStarts(sessionId, two);
    await agentFinishes(sessionId, two);
    const state = await until(sessionId, ({ runningTurnId }) => runningTurnId === null);
    expect(turnStates(state)).toEqual([
      ['one', 1, 'cancelled'],
      ['two', 1, 'completed'],
    ]);
    expect((await eventsOf(sessionId)).filter(({ type }) => type === 'TurnEnded')).toHaveLength(2);
  });

  it('pauses the queue when no sandbox can be had, until retried', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    await noSandbox(sessionId);
    const failed = await until(sessionId, ({ runningTurnId }) => runningTurnId === null);
    expect(failed.turns).toMatchObject([{ state: 'failed', reason: { code: 'sandbox.failed', message: 'bwrap is missing' } }]);
    expect(failed.queue.map(({ text }) => text)).toEqual(['two']);
    expect(await sessions.retryTurn({ context: contextOf(), sessionId })).toMatchObject({ retrying: true });
    expect(await sessions.retryTurn({ context: contextOf(), sessionId })).toMatchObject({ retrying: false });
    const turnId = failed.turns[0]?.turnId ?? '';
    expect(turnStates(await stateOf(sessionId))).toEqual([['one', 2, 'starting']]);
    await agentStarts(sessionId, turnId, 2);
    await agentFinishes(sessionId, turnId, 'completed', 2);
    await until(sessionId, ({ turns }) => turns.length === 2);
  });

  it('ends the turn of a lost sandbox and goes on with the next prompt', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
    await agentStarts(sessionId, turnId);
    const reason = { code: 'sandbox.exited', message: 'The runner was killed.' };
    const loss = { generation: 1, sandboxId: `${sessionId}-1`, appendedThrough: 1, turnId, turnAttempt: 1, reason, logTail: '' };
    await tell(sessionId, 'sandbox', 'SandboxLost', loss);
    const state = await until(sessionId, ({ turns }) => turns.length === 2);
    expect(state.turns[0]).toMatchObject({ state: 'failed', reason: { code: 'sandbox.lost', message: reason.message } });
  });

  describe('renaming, archiving and finding', () => {
    const found = async (request: { query?: string; repositoryId?: string; status?: string; after?: string }): Promise<string[]> => {
      const page = await sessions.listSessions({ organisationId: ORGANISATION, ...request });
      return page.sessions.map((row) => row.sessionId);
    };
    const at = (sessionId: string) => ({ context: contextOf(), sessionId });

    it('finds a session by the beginnings of words in title, prompt or repository', async () => {
      const { sessionId } = await create({ repository: '/srv/warehouse', prompt: 'Mend src/checkout.ts\nzanzibar pelican' });
      const { head } = await sessions.renameSession({ ...at(sessionId), title: 'Quokka work' });
      await untilListed(head);
      for (const query of ['zanzi', 'PELICAN mend', 'checkout.ts', 'quok', 'warehouse']) expect(await found({ query })).toContain(sessionId);
      for (const query of ['zanzibar absentword', 'anzibar']) expect(await found({ query })).not.toContain(sessionId);
      expect(await found({ query: "' | & ! :* ) (" })).toContain(sessionId);
      const { repository } = await stateOf(sessionId);
      expect(await found({ repositoryId: repository?.id ?? '' })).toContain(sessionId);
      expect(await found({ repositoryId: 'another', query: 'zanzi' })).toEqual([]);
    });

    it('hides what is archived unless asked for it, and refuses prompts to it', async () => {
      const { sessionId } = await create({ title: 'to be archived' });
      const { changed, head } = await sessions.archiveSession(at(sessionId));
      expect(changed).toBe(true);
      expect(await sessions.archiveSession(at(sessionId))).toMatchObject({ changed: false, head });
      await untilListed(head);
      expect(await found({})).not.toContain(sessionId);
      expect(await found({ status: 'archived' })).toContain(sessionId);
      await expect(prompt(sessionId, 'x')).rejects.toMatchObject({ code: 'session.archived' });
      const back = await sessions.unarchiveSession(at(sessionId));
      await untilListed(back.head);
      expect(await found({})).toContain(sessionId);
      expect(await stateOf(sessionId)).toMatchObject({ status: 'idle', archived: false });
    });

    it('changes, moves and withdraws prompts that wait', async () => {
      const { sessionId } = await create({ prompt: 'one' });
      const [two, three] = [await prompt(sessionId, 'two'), await prompt(sessionId, 'three')];
      const edit = { ...at(sessionId), promptId: three.promptId, text: 'three, better', move: true, before: two.promptId };
      expect(await sessions.editPrompt(edit)).toMatchObject({ position: 1 });
      expect((await stateOf(sessionId)).queue.map(({ text }) => text)).toEqual(['three, better', 'two']);
      await sessions.withdrawPrompt({ ...at(sessionId), promptId: two.promptId });
      expect((await stateOf(sessionId)).queue.map(({ text }) => text)).toEqual(['three, better']);
    });
  });

  describe('repositories', () => {
    const repositories = async (after = '') => (await sessions.listRepositories({ organisationId: ORGANISATION, after })).repositories;
    const ids = async (after = '') => (await repositories(after)).map(({ id }) => id);

    it('are added, called as wished, listed by their last use, and removed', async () => {
      const { repository: one } = await sessions.addRepository({ context: contextOf(), source: '/srv/alpha', name: 'The alpha' });
      const { repository: two } = await sessions.addRepository({ context: contextOf(), source: '/srv/beta/' });
      expect([one, two]).toMatchObject([
        { name: 'The alpha', source: '/srv/alpha', defaultBranch: 'main' },
        { name: 'beta', source: '/srv/beta' },
      ]);
      expect(await sessions.addRepository({ context: contextOf(), source: '/srv/alpha' })).toMatchObject({ repository: { id: one?.id, name: 'The alpha' } });
      const { head } = await create({ repository: one?.id ?? '' });
      await untilListed(head);
      const listed = await ids(head);
      expect(listed.indexOf(one?.id ?? '')).toBe(0);
      expect(listed).toContain(two?.id);
      expect((await repositories())[0]?.lastUsedAt).not.toBe('');
      for (let time = 0; time < 2; time += 1) await sessions.removeRepository({ context: contextOf(), repositoryId: one?.id ?? '' });
      const later = await create({});
      expect(await ids(later.head)).not.toContain(one?.id);
      await expect(create({ repository: one?.id ?? '' })).rejects.toMatchObject({ code: 'repository.not-found' });
      await create({ repository: '/srv/alpha' });
      expect(await ids((await create({})).head)).toContain(one?.id);
    });

    it('keep the sample, from the start and for ever', async () => {
      const { repository } = await stateOf((await create({})).sessionId);
      const refused = sessions.removeRepository({ context: contextOf(), repositoryId: repository?.id ?? '' });
      await expect(refused).rejects.toMatchObject({ code: 'repository.is-sample' });
    });

    it('are looked at before anything is kept of them', async () => {
      await expect(sessions.addRepository({ context: contextOf(), source: '/missing' })).rejects.toMatchObject({ code: 'repository.not-found' });
      const unknown = sessions.removeRepository({ context: contextOf(), repositoryId: '00aaaaaaaaaaaaaaaaaaaaaaaaaa' });
      await expect(unknown).rejects.toMatchObject({ code: 'repository.unknown', details: { id: '00aaaaaaaaaaaaaaaaaaaaaaaaaa' } });
    });
  });

  it('says where the events before one begin', async () => {
    const { sessionId } = await create({});
    for (let n = 0; n < 220; n += 1) await sessions.renameSession({ context: contextOf(), sessionId, title: `title ${n}` });
    const ids = (await eventsOf(sessionId)).map(({ id }) => id);
    const locate = async (count: number) => (await sessions.locateEvents({ sessionId, before: ids.at(-1) ?? '', count })).after;
    for (const end = Date.now() + 8_000; (await locate(1)) === '0' && Date.now() < end;) await delay(20);
    expect([await locate(1), await locate(100), await locate(101)]).toEqual([ids[99], ids[99], '0']);
    await expect(sessions.locateEvents({ sessionId: 'no id', before: '256', count: 1 })).rejects.toMatchObject({ code: 'session.not-found' });
  });

  describe('ListSessions', () => {
    type Request = { status?: string; cursor?: string; limit?: number; after?: string; organisationId?: string; sessionIds?: string[] };
    const list = (request: Request) =>
      sessions.listSessions({ organisationId: ORGANISATION, ...request });

    it('includes what a command answered with, newest first, page by page', async () => {
      const made: string[] = [];
      let head = '';
      for (const title of ['first', 'second', 'third']) {
        const created = await create({ title });
        made.unshift(created.sessionId);
        head = created.head;
      }
      const one = await list({ limit: 2, after: head });
      expect(one.stale).toBe(false);
      const two = await list({ limit: 200, cursor: one.nextCursor });
      const all = [...one.sessions, ...two.sessions].map(({ sessionId }) => sessionId);
      expect(all.slice(0, 3)).toEqual(made);
      expect(new Set(all).size).toBe(all.length);
      expect(two.nextCursor).toBe('');
      expect(one.sessions[0]).toMatchObject({ title: 'third', status: 'idle', repositoryName: 'sample', rev: head, turns: 0 });
    });

    it('has the line that a person reads, and only the sessions that were asked for', async () => {
      const { sessionId } = await create({ prompt: 'one' });
      const other = await create({ title: 'another' });
      const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
      await agentStarts(sessionId, turnId);
      const after = await tell(sessionId, 'agent', 'AssistantTextAppended', { partId: '1.1', offset: 0, text: 'Looking \u0000around 😀' });
      const ids = [sessionId, other.sessionId];
      const { sessions: rows } = await list({ sessionIds: ids, after });
      expect(rows.map((row) => row.sessionId).toSorted()).toEqual(ids.toSorted());
      expect(rows.find((row) => row.sessionId === sessionId)).toMatchObject({ why: 'Looking \ufffdaround 😀', rev: after, queued: 0, attention: false });
      expect((await list({ sessionIds: ids, status: 'running' })).sessions.map((row) => row.sessionId)).toEqual([sessionId]);
      expect((await list({ sessionIds: ['unknown'] })).sessions).toEqual([]);
      await expect(list({ sessionIds: Array.from({ length: 201 }, () => 'x') })).rejects.toMatchObject({ code: 'request.invalid' });
      await expect(list({ sessionIds: ['a\0'] })).rejects.toMatchObject({ code: 'request.invalid' });
    });

    it('filters by status, and by organisation', async () => {
      const { sessionId } = await create({ prompt: 'one' });
      const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
      const after = await agentStarts(sessionId, turnId);
      const running = await list({ status: 'running', after });
      expect(running.sessions.map((row) => row.sessionId)).toContain(sessionId);
      expect(new Set(running.sessions.map(({ status }) => status))).toEqual(new Set(['running']));
      expect((await list({ organisationId: 'another' })).sessions).toEqual([]);
    });

    it('says so when it is behind, and refuses what it cannot read', async () => {
      expect(await list({ after: String(1_000_000 * 256), limit: 1 })).toMatchObject({ stale: true });
      await expect(list({ after: 'x' })).rejects.toMatchObject({ code: 'event.unknown' });
      await expect(list({ cursor: '!' })).rejects.toMatchObject({ code: 'request.invalid' });
      // Postgres would take these for a query that is broken.
      await expect(list({ cursor: Buffer.from('["\\u0000","a"]').toString('base64url') })).rejects.toMatchObject({ code: 'request.invalid' });
      await expect(list({ organisationId: 'a\0' })).rejects.toMatchObject({ code: 'request.invalid' });
      await expect(list({ status: 'sleeping' })).rejects.toMatchObject({ code: 'request.invalid' });
    });

    it('takes no position in another log for the one that was asked for', async () => {
      const { head: after } = await create({});
      await untilListed(after);
      const database = new Database(postgres.url, silentLogger);
      const elsewhere = createSessionList(database, 'another epoch');
      const query = { organisationId: ORGANISATION, status: null, words: [], repositoryId: '', sessionIds: [], cursor: '', limit: 1 };
      expect(await elsewhere.list({ ...query, after })).toMatchObject({ stale: true });
      expect(await elsewhere.list({ ...query, after: '' })).toMatchObject({ stale: false });
      await database.close();
    });

    it('is away while Postgres is, turns go on meanwhile, and it catches up after', async () => {
      const { sessionId } = await create({ prompt: 'one' });
      const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
      await agentStarts(sessionId, turnId);
      proxy.cut();
      await expect(list({})).rejects.toMatchObject({ name: 'Fault', code: 'session-list.unavailable' });
      await agentFinishes(sessionId, turnId);
      const { head } = await until(sessionId, ({ status }) => status === 'idle');
      expect((await create({ prompt: 'during' })).sessionId).not.toBe('');
      proxy.heal();
      await untilListed(head);
      const row = (await list({})).sessions.find((candidate) => candidate.sessionId === sessionId);
      expect(row?.status).toBe('idle');
    }, 40_000);
  });

  it('ends after a restart what ended while it was down', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
    await agentStarts(sessionId, turnId);
    await service.close();
    await expect(prompt(sessionId, 'three')).rejects.toMatchObject({ name: 'Fault', code: 'session.unavailable' });
    await agentFinishes(sessionId, turnId);
    service = await startSession(config, silentLogger);
    const state = await until(sessionId, ({ turns }) => turns.length === 2);
    expect(turnStates(state)).toEqual([
      ['one', 1, 'completed'],
      ['two', 1, 'starting'],
    ]);
    expect((await eventsOf(sessionId)).filter(({ type }) => type === 'TurnEnded')).toHaveLength(1);
    await calm();
  }, 30_000);

  it('runs twice: every turn ends once, and the list goes on when the one that writes it ends', async () => {
    const port = await freePort();
    const second = await startSession({ ...config, SESSION_GRPC_PORT: port, SESSION_HEALTH_PORT: await freePort() }, silentLogger);
    const { sessionId } = await create({ prompt: 'one' });
    await prompt(sessionId, 'two');
    for (const text of ['one', 'two']) {
      const running = await until(sessionId, ({ turns }) => turns.at(-1)?.prompt === text);
      await agentStarts(sessionId, running.runningTurnId ?? '');
      await agentFinishes(sessionId, running.runningTurnId ?? '');
    }
    await until(sessionId, ({ status }) => status === 'idle');
    await service.close();
    const there = createRpcClient(SessionService, { url: `http://127.0.0.1:${port}`, key: KEY, timeoutMs: 15_000 });
    const { head } = await there.createSession({ context: contextOf(), repository: 'sample', title: 'by the second' });
    const list = () => there.listSessions({ organisationId: ORGANISATION, after: head, limit: 1 });
    let page = await list();
    for (let tries = 0; page.stale && tries < 10; tries += 1) page = await list();
    expect(page.sessions).toMatchObject([{ title: 'by the second' }]);
    service = await startSession(config, silentLogger);
    await second.close();
    expect((await eventsOf(sessionId)).filter(({ type }) => type === 'TurnEnded')).toHaveLength(2);
    await calm();
  }, 40_000);

  it('lets go of everything when its port is taken', async () => {
    await expect(startSession(config, silentLogger)).rejects.toMatchObject({ code: 'rpc.not-listening' });
    const { sessionId, head } = await create({});
    const page = await sessions.listSessions({ organisationId: ORGANISATION, after: head, limit: 1 });
    expect([page.stale, page.sessions[0]?.sessionId]).toEqual([false, sessionId]);
  });

  it('starts without Postgres, and without a checkpoint ends the same turns', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
    await agentStarts(sessionId, turnId);
    await service.close();
    await agentFinishes(sessionId, turnId);
    const before = await sandboxLog.lastSequence();
    proxy.cut();
    service = await startSession(config, silentLogger);
    const { head } = await until(sessionId, ({ status }) => status === 'idle');
    expect(await readiness()).toMatchObject({ status: 'degraded', checks: { log: true, postgres: false } });
    proxy.heal();
    // Everything older had been said: one append, for this turn.
    expect(await sandboxLog.lastSequence()).toBe(before + 1);
    await untilListed(head);
    const readModels = { postgres: true, 'session-list': true, 'repository-list': true, 'event-index': true };
    expect(await readiness()).toEqual({ status: 'ready', checks: { log: true, ...readModels } });
  }, 40_000);

  it('goes on after the log was killed', async () => {
    const { sessionId } = await create({ prompt: 'one' });
    const turnId = (await stateOf(sessionId)).runningTurnId ?? '';
    await agentStarts(sessionId, turnId);
    await nats.kill9();
    await nats.restart();
    await agentFinishes(sessionId, turnId);
    await until(sessionId, ({ status }) => status === 'idle', 20_000);
    expect((await eventsOf(sessionId)).filter(({ type }) => type === 'TurnEnded')).toHaveLength(1);
    await calm();
  }, 60_000);
});
