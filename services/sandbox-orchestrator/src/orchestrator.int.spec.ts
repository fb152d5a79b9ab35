import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { signSandboxToken } from '@bullpen/auth';
import { sessionBranch } from '@bullpen/contracts';
import type { EventOf, EventType, JsonRecord, SessionEvent, StoredEvent } from '@bullpen/contracts';
import { Fault, Rejection } from '@bullpen/errors';
import { FolderObjectStore, connectEventLog, newEntityId } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { FakeDriver } from '@bullpen/sandbox-driver-fake';
import type { PushRequest, PushResult, SourceMirrorRequest } from '@bullpen/scm';
import { silentLogger } from '@bullpen/telemetry';
import { startTestNats, temporaryFolder } from '@bullpen/testing';
import type { TemporaryFolder, TestNats } from '@bullpen/testing';

import { SandboxOrchestrator } from './orchestrator.js';
import { ScriptedRunner } from '../test/scripted-runner.js';

const KEY = 'k'.repeat(64);
const SHA = 'a'.repeat(40);
const BASE = 'b'.repeat(40);
const USER = { kind: 'user', id: 'local', name: 'Ada' } as const;
const WAIT_MS = 15_000;
const PRIVATE_SOURCE = 'https://git.example.org/private.git';

let nats: TestNats;
let log: EventLog;
let sessionLog: EventLog;
const sessions: Session[] = [];

beforeAll(async () => {
  nats = await startTestNats();
  log = await connectEventLog({ url: nats.url, user: 'orchestrator', password: nats.passwords.orchestrator, logger: silentLogger });
  sessionLog = await connectEventLog({ url: nats.url, user: 'session', password: nats.passwords.session, logger: silentLogger });
});

afterAll(async () => {
  await log?.close();
  await sessionLog?.close();
  await nats?.stop();
});

describe('SandboxOrchestrator', () => {
  let folder: TemporaryFolder;
  let driver: FakeDriver;
  let orchestrator: SandboxOrchestrator;
  let runners: ScriptedRunner[];
  let pushes: PushRequest[];
  let pushResult: () => Promise<PushResult>;
  let fetches: SourceMirrorRequest[];
  let fetchResult: (request: SourceMirrorRequest) => Promise<string>;

  beforeEach(async () => {
    folder = await temporaryFolder('orchestrator');
    driver = new FakeDriver();
    runners = [];
    pushes = [];
    pushResult = async () => ({ pushed: true });
    fetches = [];
    fetchResult = async ({ repositoryId }) => `/mirrors/${repositoryId}`;
    orchestrator = await start();
  });

  afterEach(async () => {
    for (const runner of runners) runner.cut();
    await orchestrator.close();
    // The next test's orchestrator reads the same log.
    for (const session of sessions.splice(0)) await session.append([event('SessionDeleted' as 'LaneClosed', {})]);
    await folder.remove();
  });

  const start = (linkPort = 0): Promise<SandboxOrchestrator> =>
    SandboxOrchestrator.start({
      log,
      objects: new FolderObjectStore(folder.path),
      driver,
      model: { provider: 'scripted', baseUrl: 'http://127.0.0.1:1/', apiKey: null },
      tokenKey: KEY,
      linkPort,
      leases: null,
      mirrorsFolder: folder.path,
      push: async (request) => {
        pushes.push(request);
        return pushResult();
      },
      sourceRules: { localPaths: true, privateHosts: [] },
      provideSource: async (request) => {
        fetches.push(request);
        return fetchResult(request);
      },
      logger: silentLogger,
    });

  const runnerOf = (sandboxId: string, overrides = {}): ScriptedRunner => {
    const spec = driver.specOf(sandboxId);
    if (!spec) throw new Error(`no sandbox ${sandboxId}`);
    const runner = new ScriptedRunner(spec, overrides);
    runners.push(runner);
    return runner;
  };

  /** The generation's sandbox, its runner connected and its workspace ready. */
  const readyRunner = async (session: Session, generation: number): Promise<ScriptedRunner> => {
    const sandboxId = `${session.id}-${generation}`;
    await until(() => driver.observedOf(sandboxId)?.phase === 'running');
    const runner = runnerOf(sandboxId);
    await runner.join();
    for (const stage of ['restoring', 'syncing', 'ready'] as const) runner.report(stage);
    return runner;
  };

  const beginTurn = async (runner: ScriptedRunner, turnId: string, attempt = 1): Promise<void> => {
    expect(await runner.next('prompt')).toMatchObject({ turnId, attempt });
    runner.report('running');
    await runner.acknowledged(runner.frame('AgentStarted', { turnId, attempt, agent: 'pi', model: 'm', conversation: 'new' }, turnId));
  };

  it('takes a prompt from the log to a runner and its frames back, and pushes the checkpoint', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    expect(await runner.next('prompt')).toMatchObject({ text: 'do it', author: { name: 'Ada', email: 'ada@example.org' } });
    await beginTurn(runner, session.turnId);
    runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'Hello' }, session.turnId);
    const bundle = await upload(runner, 'the bundle');
    const patch = await upload(runner, 'the patch');
    runner.frame('CheckpointCreated', checkpoint(session, { bundle, patch }), session.turnId);
    const last = runner.frame('AgentTurnFinished', { turnId: session.turnId, attempt: 1, outcome: 'completed' }, session.turnId);
    runner.report('idle');
    await runner.acknowledged(last);
    await session.endTurn('completed');

    const events = await session.until('BranchPushed');
    await session.untilStage('idle');
    expect(stagesOf(await session.events())).toEqual(['requested', 'provisioning', 'restoring', 'syncing', 'ready', 'running', 'idle']);
    expect(typesOf(events, 'agent').filter((type) => type !== 'BranchPushed')).toEqual([
      'GenerationStarted', 'AgentStarted', 'AssistantTextAppended', 'CheckpointCreated', 'AgentTurnFinished',
    ]);
    const fence = indexOf(events, 'GenerationStarted');
    expect(fence).toBeGreaterThan(indexOf(events, 'SandboxRequested'));
    expect(pushes).toEqual([expect.objectContaining({ branch: sessionBranch(session.id), sha: SHA, source: '/srv/sample' })]);
    expect(driver.started).toEqual([`${session.id}-1`]);
  });

  it('gives the next turn to the sandbox that is there', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    await runner.acknowledged(runner.frame('AgentTurnFinished', { turnId: session.turnId, attempt: 1, outcome: 'completed' }));
    await session.endTurn('completed');
    const turnId = await session.prompt('and more');
    expect(await runner.next('prompt', 2)).toMatchObject({ turnId, text: 'and more' });
    expect(driver.started).toHaveLength(1);
  });

  it('loses and doubles nothing when it is replaced in the middle of a turn', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    let offset = 0;
    const say = (text: string) => {
      const n = runner.frame('AssistantTextAppended', { partId: '1.1', offset, text }, session.turnId);
      offset += text.length;
      return n;
    };
    for (let i = 0; i < 20; i += 1) say(`a${i} `);
    const { linkPort } = orchestrator;
    const closing = orchestrator.close();
    for (let i = 0; i < 20; i += 1) say(`b${i} `);
    await closing;
    for (let i = 0; i < 20; i += 1) say(`c${i} `);
    orchestrator = await start(linkPort);
    await runner.join();
    await runner.acknowledged(say('end'));

    const texts = (await session.events()).filter(({ type }) => type === 'AssistantTextAppended').map(({ data }) => String(data['text']));
    const expected = ['a', 'b', 'c'].flatMap((letter) => Array.from({ length: 20 }, (_, i) => `${letter}${i} `));
    expect(texts).toEqual([...expected, 'end']);
    expect(runner.count('prompt')).toBe(1);
    expect(driver.started).toHaveLength(1);
  });

  it('loses and doubles nothing when the log is killed in the middle of a turn', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    const say = (i: number) => runner.frame('AssistantTextAppended', { partId: '1.1', offset: i, text: String(i % 10) }, session.turnId);
    for (let i = 0; i < 30; i += 1) say(i);
    await nats.kill9();
    for (let i = 30; i < 60; i += 1) say(i);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await nats.restart();
    let last = 0;
    for (let i = 60; i < 90; i += 1) last = say(i);
    await runner.acknowledgedWithReconnects(last);
    const texts = (await session.events()).filter(({ type }) => type === 'AssistantTextAppended').map(({ data }) => data['text']);
    expect(texts).toEqual(Array.from({ length: 90 }, (_, i) => String(i % 10)));
    expect((await session.events()).some(({ type }) => type === 'SandboxLost')).toBe(false);
  }, 60_000);

  it('takes over from a process that died between any two steps', async () => {
    await orchestrator.close();
    const session = await newSession();
    // As if it had died right after the request, before the fence.
    const sandboxId = `${session.id}-1`;
    const at = new Date().toISOString();
    await log.append({
      lane: { entity: 'session', id: session.id, name: 'sandbox' },
      expected: 0,
      key: 'test',
      events: [
        event('SandboxRequested', { generation: 1, sandboxId, driver: 'fake', isolation: 'none', attempt: 1 }),
        event('SandboxStageEntered', { stage: 'requested', generation: 1, sandboxId, startedAt: at }),
      ],
    });
    orchestrator = await start();
    await readyRunner(session, 1);
    const events = await session.events();
    expect(events.filter(({ type }) => type === 'SandboxRequested')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'GenerationStarted')).toHaveLength(1);
  });

  it('refuses a runner with a forged token and one with that of another sandbox', async () => {
    const session = await newSession();
    await until(() => driver.observedOf(`${session.id}-1`) !== undefined);
    const claims = { sandboxId: `${session.id}-1`, sessionId: session.id, generation: 1, expiresAt: Date.now() + 60_000 };
    const forged = { token: signSandboxToken(claims, 'other'.repeat(8)) };
    const another = { token: signSandboxToken({ ...claims, sandboxId: 'x-1' }, KEY), hello: claims };
    for (const overrides of [forged, another]) {
      const runner = runnerOf(`${session.id}-1`, overrides);
      await runner.connect();
      expect((await runner.next('refused')).reason.code).toBe('token.invalid');
      await runner.until(() => runner.closeCode === 1008);
    }
    expect((await session.events()).some(({ type }) => type === 'AgentStarted')).toBe(false);
  });

  it('refuses a runner that speaks out of order or nonsense, and goes on', async () => {
    const session = await newSession();
    await until(() => driver.observedOf(`${session.id}-1`)?.phase === 'running');
    const silent = runnerOf(`${session.id}-1`);
    await silent.connect();
    silent.raw('{ not json');
    expect((await silent.next('refused')).reason.code).toBe('link.message-invalid');
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
  });

  it('puts FrameRejected in the place of an invalid frame, and takes the ones after it', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    runner.frame('TurnEnded', { turnId: session.turnId, attempt: 1, outcome: 'completed' });
    runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'x'.repeat(20_000) });
    runner.frame('AssistantTextAppended', { partId: '9.1', offset: 0, text: 'x' });
    runner.frame('AgentTurnFinished', { turnId: 'anotherturn', attempt: 1, outcome: 'completed' });
    runner.frame('CheckpointCreated', checkpoint(session, { bundle: ref('never uploaded'), patch: ref('') }));
    runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 3 });
    await runner.acknowledged(runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'fine' }));
    const events = (await session.events()).filter(({ lane }) => lane === 'agent').slice(2);
    expect(events.map(({ type, data }) => (type === 'FrameRejected' ? [data['n'], (data['reason'] as JsonRecord)['code']] : type))).toEqual([
      [2, 'frame.type-not-allowed'],
      [3, 'frame.string-too-large'],
      [4, 'frame.part-unknown'],
      [5, 'frame.turn-unknown'],
      [6, 'frame.object-missing'],
      [7, 'event.invalid'],
      'AssistantTextAppended',
    ]);
  });

  it('records a lost sandbox with the turn it ended, and replaces it for the next one', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    await runner.acknowledged(runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'Hel' }, session.turnId));
    runner.cut();
    driver.exit(`${session.id}-1`, { signal: 'SIGKILL', log: 'last line' });
    const events = await session.until('SandboxLost');
    expect(dataOf(events, 'SandboxLost')).toMatchObject({
      generation: 1, appendedThrough: 2, turnId: session.turnId, turnAttempt: 1, logTail: 'last line', reason: { code: 'sandbox.lost' },
    });
    await session.endTurn('failed');
    const turnId = await session.prompt('again');
    const second = await readyRunner(session, 2);
    expect(await second.next('prompt')).toMatchObject({ turnId });
    expect(second.spec).toMatchObject({ generation: 2, takeOver: `${session.id}-1` });
    expect(second.spec.transcript).toContain('do it');

    const old = runner;
    await old.connect();
    expect((await old.next('refused')).reason.code).toBe('generation.superseded');
  });

  it('replaces a sandbox that was lost before the agent had the prompt, within the same turn', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await runner.next('prompt');
    driver.exit(`${session.id}-1`, { exitCode: 1 });
    const second = await readyRunner(session, 2);
    expect(dataOf(await session.events(), 'SandboxLost')).toMatchObject({ turnId: '', turnAttempt: 0 });
    expect(await second.next('prompt')).toMatchObject({ turnId: session.turnId, attempt: 1 });
  });

  it('tries a failed spawn again, and enters the stage failed after three', async () => {
    driver.failNextApplies(1, new Fault('sandbox.apply-failed', 'no disk'));
    const session = await newSession();
    await until(() => driver.observedOf(`${session.id}-2`) !== undefined);
    driver.exit(`${session.id}-2`, { exitCode: 2, log: 'clone failed' });
    await until(() => driver.observedOf(`${session.id}-3`) !== undefined);
    driver.exit(`${session.id}-3`, { exitCode: 2 });
    const events = await session.untilStage('failed');
    expect(events.filter(({ type }) => type === 'SandboxSpawnFailed').map(({ data }) => [data['attempt'], data['retryAt'] === ''])).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
    expect(events.filter(({ type }) => type === 'SandboxSpawnFailed')[1]?.data).toMatchObject({ logTail: 'clone failed' });

    await session.endTurn('failed');
    await session.prompt('once more');
    await readyRunner(session, 4);
  });

  it('does not repeat a spawn that cannot heal', async () => {
    const session = await newSession();
    await until(() => driver.observedOf(`${session.id}-1`)?.phase === 'running');
    const runner = runnerOf(`${session.id}-1`);
    await runner.join();
    runner.raw({ kind: 'failed', reason: { code: 'repository.branch-missing', message: 'There is no branch nope.' } });
    driver.exit(`${session.id}-1`, { exitCode: 2 });
    const events = await session.untilStage('failed');
    expect(dataOf(events, 'SandboxSpawnFailed')).toMatchObject({ attempt: 1, retryAt: '', reason: { code: 'repository.branch-missing' } });
    expect(driver.started).toHaveLength(1);
  });

  it('gives a path as it is to a sandbox, and of a URL the mirror of the platform', async () => {
    const [local, remote] = [await newSession(), await newSession(PRIVATE_SOURCE)];
    await readyRunner(local, 1);
    await readyRunner(remote, 1);
    expect(driver.specOf(`${local.id}-1`)).toMatchObject({ sourcePath: '/srv/sample' });
    expect(driver.specOf(`${remote.id}-1`)).toMatchObject({
      sourcePath: `/mirrors/${remote.repositoryId}`,
      runner: { repository: { source: PRIVATE_SOURCE } },
    });
    expect(fetches).toEqual([
      expect.objectContaining({ repositoryId: remote.repositoryId, branch: 'main', mirrorsFolder: folder.path }),
    ]);
    expect(fetches[0]?.source).toMatchObject({ canonical: PRIVATE_SOURCE, hostListed: false });
  });

  (process.getuid?.() === 0 ? it : it.skip)('gives the mirror of a path that only root may read', async () => {
    const path = join(folder.path, 'home', 'work');
    mkdirSync(path, { recursive: true });
    chownSync(join(folder.path, 'home'), 65_534, 65_534);
    chmodSync(join(folder.path, 'home'), 0o700);
    const session = await newSession(path);
    await readyRunner(session, 1);
    expect(driver.specOf(`${session.id}-1`)).toMatchObject({ sourcePath: `/mirrors/${session.repositoryId}` });
    expect(fetches[0]?.source).toMatchObject({ kind: 'path', canonical: path });
  });

  it('fetches beside everything else, and tells nothing of it while it lasts but the stage', async () => {
    let arrive: ((path: string) => void) | undefined;
    fetchResult = (request) => Promise.race([new Promise<string>((resolve) => (arrive = resolve)), untilAborted(request)]);
    // More than the reconciler works on at the same time.
    const slow = await Promise.all(Array.from({ length: 20 }, () => newSession(PRIVATE_SOURCE)));
    await until(() => fetches.length === slow.length);
    await readyRunner(await newSession(), 1);
    const last = slow.find(({ repositoryId }) => repositoryId === fetches.at(-1)?.repositoryId);
    if (!last) throw new Error('fetched for nobody');
    expect(stagesOf(await last.events())).toEqual(['requested', 'provisioning']);
    arrive?.('/mirrors/late');
    await readyRunner(last, 1);
    expect(driver.specOf(`${last.id}-1`)).toMatchObject({ sourcePath: '/mirrors/late' });
    expect(fetches).toHaveLength(slow.length);
  });

  it.each(['repository.not-readable', 'repository.not-found', 'repository.branch-missing'])('fails at once when the source says %s', async (code) => {
    fetchResult = () => Promise.reject(new Rejection(code, 'It is so.'));
    const session = await newSession(PRIVATE_SOURCE);
    const events = await session.untilStage('failed');
    expect(dataOf(events, 'SandboxSpawnFailed')).toMatchObject({ attempt: 1, retryAt: '', reason: { code, message: 'It is so.' } });
    expect(driver.started).toEqual([]);
  });

  it('looks at a host again before every fetch', async () => {
    const session = await newSession('https://10.0.0.1/x.git');
    const events = await session.untilStage('failed');
    expect(dataOf(events, 'SandboxSpawnFailed')).toMatchObject({ reason: { code: 'repository.host-not-allowed' } });
    expect(fetches).toEqual([]);
  });

  it.each(['repository.unreachable', 'git.timeout'])('tries again to spawn after %s', async (code) => {
    fetchResult = async ({ repositoryId }) => {
      if (fetches.length === 1) throw new Fault(code, 'Not now.');
      return `/mirrors/${repositoryId}`;
    };
    const session = await newSession(PRIVATE_SOURCE);
    await readyRunner(session, 2);
    const failed = dataOf(await session.events(), 'SandboxSpawnFailed');
    expect(failed).toMatchObject({ attempt: 1, reason: { code } });
    expect(failed?.['retryAt']).not.toBe('');
  });

  it('stops a fetch that nobody waits for any more: a turn that ended, a closed session, a process that ends', async () => {
    fetchResult = untilAborted;
    const [ended, deleted, left] = [await newSession(PRIVATE_SOURCE), await newSession(PRIVATE_SOURCE), await newSession(PRIVATE_SOURCE)];
    await until(() => fetches.length === 3);
    const fetchOf = (session: Session) => fetches.find(({ repositoryId }) => repositoryId === session.repositoryId);
    await ended.endTurn('cancelled');
    await until(() => fetchOf(ended)?.signal?.aborted === true);
    await deleted.append([event('SessionDeleted' as 'LaneClosed', {})]);
    await until(() => fetchOf(deleted)?.signal?.aborted === true);
    expect(fetchOf(left)?.signal?.aborted).toBe(false);
    await orchestrator.close();
    expect(fetchOf(left)?.signal?.aborted).toBe(true);
    expect((await left.events()).some(({ type }) => type === 'SandboxSpawnFailed')).toBe(false);
    orchestrator = await start();
    await until(() => fetches.length === 4);
  });

  it('goes on in a kept workspace when the source cannot be read any more', async () => {
    const session = await newSession(PRIVATE_SOURCE);
    const runner = await readyRunner(session, 1);
    runner.cut();
    driver.exit(`${session.id}-1`, { signal: 'SIGKILL', log: '' });
    fetchResult = () => Promise.reject(new Rejection('repository.branch-missing', 'It was merged.'));
    await readyRunner(session, 2);
    expect(driver.specOf(`${session.id}-2`)).toMatchObject({ takeOver: `${session.id}-1`, sourcePath: null });
  });

  it('delivers a cancel, also after a reconnect', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    await session.append([event('TurnCancelRequested', { turnId: session.turnId })]);
    expect(await runner.next('cancel')).toEqual({ kind: 'cancel', turnId: session.turnId });
    runner.cut();
    await runner.join();
    expect(await runner.next('cancel', 2)).toEqual({ kind: 'cancel', turnId: session.turnId });
  });

  it('records why a push was refused, and repeats one that broke off', async () => {
    let tries = 0;
    pushResult = async () => {
      tries += 1;
      if (tries === 1) throw new Fault('git.timeout', 'too slow', { retryAfterMs: 0 });
      return { pushed: false, reason: { code: 'push.refused', message: 'protected' } };
    };
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    const bundle = await upload(runner, 'bundle 2');
    await runner.acknowledged(runner.frame('CheckpointCreated', checkpoint(session, { bundle, patch: bundle }), session.turnId));
    const events = await session.until('BranchPushFailed');
    expect(dataOf(events, 'BranchPushFailed')).toMatchObject({ sha: SHA, reason: { code: 'push.refused' } });
    await runner.acknowledged(runner.frame('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'still here' }, session.turnId));
  });

  it('drains: tells runners to stop, records the turn that ended with each, and leaves nothing', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    const draining = orchestrator.drain({ timeoutMs: 10_000 });
    expect((await runner.next('stop')).reason.code).toBe('platform.stopped');
    runner.cut();
    driver.exit(`${session.id}-1`, { exitCode: 0 });
    const events = await session.until('SandboxLost');
    expect(dataOf(events, 'SandboxLost')).toMatchObject({ turnId: session.turnId, reason: { code: 'platform.stopped' } });
    await session.endTurn('failed');
    expect(await draining).toBe(true);
    expect(driver.observedOf(`${session.id}-1`)).toBeUndefined();
    expect(driver.hasWorkspace(`${session.id}-1`)).toBe(true);
  });

  it('ends a turn that a drain interrupted as failed, not as cancelled', async () => {
    const session = await newSession();
    const runner = await readyRunner(session, 1);
    await beginTurn(runner, session.turnId);
    const draining = orchestrator.drain({ timeoutMs: 10_000 });
    await runner.next('stop');
    const finished = { turnId: session.turnId, attempt: 1, outcome: 'cancelled', reason: { code: 'turn.cancelled', message: '' } };
    await runner.acknowledged(runner.frame('AgentTurnFinished', finished, session.turnId));
    runner.cut();
    driver.exit(`${session.id}-1`, { exitCode: 0 });
    const events = await session.until('SandboxStopped');
    expect(dataOf(events, 'AgentTurnFinished')).toMatchObject({ outcome: 'failed', reason: { code: 'platform.stopped' } });
    await session.endTurn('failed');
    expect(await draining).toBe(true);
  });

  it('removes sandboxes that the log knows nothing of', async () => {
    const session = await newSession();
    await until(() => driver.observedOf(`${session.id}-1`) !== undefined);
    const spec = driver.specOf(`${session.id}-1`);
    if (!spec) throw new Error('no spec');
    const stray = `${newEntityId()}-7`;
    await driver.apply(stray, spec, new AbortController().signal);
    await until(() => driver.observedOf(stray) === undefined);
  });

  async function upload(runner: ScriptedRunner, text: string): Promise<{ sha256: string; bytes: number }> {
    const { sha256, bytes } = ref(text);
    const before = runner.count('objectStored');
    runner.raw({ kind: 'object', sha256, bytes });
    runner.bytes(Buffer.from(text));
    await runner.until(() => runner.count('objectStored') > before);
    return { sha256, bytes };
  }
});

interface Session {
  readonly id: string;
  readonly repositoryId: string;
  readonly turnId: string;
  prompt(text: string): Promise<string>;
  endTurn(outcome: string): Promise<void>;
  append(events: StoredEvent[]): Promise<void>;
  events(): Promise<SessionEvent[]>;
  until(type: EventType): Promise<SessionEvent[]>;
  untilStage(stage: string): Promise<SessionEvent[]>;
}

/** The session service's part, played by the test. */
async function newSession(source = '/srv/sample'): Promise<Session> {
  const id = newEntityId();
  let expected = 0;
  let turnId = '';
  const append = async (events: StoredEvent[]): Promise<void> => {
    const lane = { entity: 'session', id, name: 'core' } as const;
    ({ sequence: expected } = await sessionLog.append({ lane, events, expected, key: randomBytes(8).toString('hex') }));
  };
  const prompted = (text: string): StoredEvent[] => {
    const promptId = newEntityId();
    turnId = `t${promptId.slice(1)}`;
    return [
      event('PromptQueued', { promptId, text, author: { name: 'Ada', email: 'ada@example.org' }, requestHash: '' }),
      event('TurnStarted', { turnId, promptId, attempt: 1 }),
    ];
  };
  const events = async (): Promise<SessionEvent[]> => {
    const all: SessionEvent[] = [];
    for await (const read of log.readSession(id, { after: '0' })) all.push(read);
    return all;
  };
  const untilEvent = async (found: (event: SessionEvent) => boolean): Promise<SessionEvent[]> => {
    let all: SessionEvent[] = [];
    await until(async () => (all = await events()).some(found));
    return all;
  };
  const repository = { id: newEntityId(), name: 'sample', source };
  const created = { organisationId: 'o', title: 't', repository, branch: 'main', agent: 'pi', model: 'm', requestHash: '' };
  await append([event('SessionCreated', { ...created, modelProvider: 'scripted' }), ...prompted('do it')]);
  const session: Session = {
    id,
    repositoryId: repository.id,
    turnId,
    append,
    events,
    prompt: async (text) => {
      await append(prompted(text));
      return turnId;
    },
    endTurn: (outcome) => append([event('TurnEnded', { turnId, attempt: 1, outcome: outcome as 'failed' })]),
    until: (type) => untilEvent((read) => read.type === type),
    untilStage: (stage) => untilEvent((read) => read.type === 'SandboxStageEntered' && read.data['stage'] === stage),
  };
  sessions.push(session);
  return session;
}

function event<T extends EventType>(type: T, data: EventOf<T>['data']): StoredEvent {
  return { type, v: 1, at: new Date().toISOString(), actor: USER, data: data as unknown as JsonRecord };
}

function checkpoint({ id, turnId }: Session, objects: { bundle: object; patch: object }): Record<string, unknown> {
  const { bundle, patch } = objects;
  const stats = { files: 1, insertions: 1, deletions: 0 };
  return { turnId, attempt: 1, sha: SHA, parent: BASE, base: BASE, branch: sessionBranch(id), stats, patch, turnPatch: patch, bundle };
}

function ref(text: string): { sha256: string; bytes: number } {
  return { sha256: text === '' ? '' : createHash('sha256').update(text).digest('hex'), bytes: Buffer.byteLength(text) };
}

function stagesOf(events: readonly SessionEvent[]): unknown[] {
  return events.filter(({ type }) => type === 'SandboxStageEntered').map(({ data }) => data['stage']);
}

function typesOf(events: readonly SessionEvent[], lane: string): string[] {
  return events.filter((read) => read.lane === lane).map(({ type }) => type);
}

function indexOf(events: readonly SessionEvent[], type: EventType): number {
  return events.findIndex((read) => read.type === type);
}

function dataOf(events: readonly SessionEvent[], type: EventType): JsonRecord | undefined {
  return events.find((read) => read.type === type)?.data;
}

function untilAborted({ signal }: SourceMirrorRequest): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Fault('git.aborted', 'Stopped.'))));
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !(await condition()); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
