import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';

import { Fault, Rejection } from '@bullpen/errors';

import { SESSION_ID, TOKEN, event, startTestGateway } from '../../../test/gateway.harness.js';
import type { TestGateway } from '../../../test/gateway.harness.js';
import { MemoryEventLog } from '../../../test/memory-event-log.js';
import { MAX_BODY_BYTES } from './problem.js';

let gateway: TestGateway;
const log = new MemoryEventLog();
const lane = { entity: 'session', id: SESSION_ID, name: 'core' } as const;

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The API's own JSON, checked by each test.
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  options: { body?: unknown; raw?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const answer = await fetch(gateway.url + path, {
    method,
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: answer.status,
    headers: answer.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  };
}

/** What comes back for these bytes. */
function exchange(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => (answer += chunk.toString()));
    socket.on('error', reject).on('close', () => resolve(answer));
  });
}

/** fetch does not let a program choose its Host. */
function callAs(host: string, path = '/healthz'): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path, headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    request.on('error', reject).end();
  });
}

function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, code: answer.body['code'] }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(answer.body).toMatchObject({ status, code, type: `urn:bullpen:problem:${code}` });
  expect(answer.body['title']).toEqual(expect.any(String));
  expect(answer.body['detail']).toEqual(expect.any(String));
}

const patch = new TextEncoder().encode('diff --git a/x b/x\n');
let patchRef: { sha256: string; bytes: number };
let stranger: { sha256: string; bytes: number };

beforeAll(async () => {
  gateway = await startTestGateway(log);
  patchRef = await gateway.objects.put(patch);
  stranger = await gateway.objects.put(new TextEncoder().encode('of another session'));
  const none = { sha256: '', bytes: 0 };
  const repository = { id: 'r', name: 'sample', source: '/srv/sample' };
  log.add(lane, [
    event('SessionCreated', { title: 'T', repository, branch: 'main', agent: 'pi', model: 'm', modelProvider: 'scripted' }),
    event('PromptQueued', { promptId: 'p1', text: stranger.sha256, author: { name: 'Ada', email: '' } }),
    event('TurnStarted', { turnId: 't1', promptId: 'p1', attempt: 1 }),
  ]);
  log.add({ ...lane, name: 'sandbox' }, [
    event('SandboxRequested', { generation: 1, sandboxId: 's-1', driver: 'local', isolation: 'none', attempt: 1 }),
  ]);
  log.add({ ...lane, name: 'agent' }, [
    event('CheckpointCreated', {
      turnId: 't1',
      attempt: 1,
      sha: 'b',
      parent: 'a',
      base: 'a',
      patch: patchRef,
      turnPatch: none,
      bundle: none,
    }),
  ]);
});
afterAll(() => gateway.stop());
afterEach(() => {
  for (const name of Object.keys(gateway.calls)) if (name !== 'GetSession') delete gateway.calls[name];
});

const base = `/api/v1/sessions/${SESSION_ID}`;

describe('the edge', () => {
  it('lets nobody in without the token, also where nothing is', async () => {
    for (const path of ['/api/v1/sessions', '/api/v1/agents', '/nothing', base]) {
      const missing = await call('GET', path, { headers: { authorization: '' } });
      expectProblem(missing, 401, 'auth.missing');
      expect(missing.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expectProblem(await call('GET', path, { headers: { authorization: 'Bearer wrong' } }), 401, 'auth.invalid');
    }
  });

  it('shows health and documentation to anybody', async () => {
    const anonymous = { headers: { authorization: '' } };
    expect((await call('GET', '/healthz', anonymous)).body).toEqual({ status: 'ok' });
    const root = await call('GET', '/', anonymous);
    expect([root.status, root.headers.get('location')]).toEqual([302, '/api/docs']);
    const page = await call('GET', '/api/docs', anonymous);
    expect(page.status).toBe(200);
    expect(page.text.match(/(src|href)="(?!\.\/)[^"]*"/g) ?? []).toEqual([]);
    const script = await call('GET', '/api/docs/swagger-ui-bundle.js', anonymous);
    expect([script.status, script.text.length > 100_000]).toEqual([200, true]);
  });

  it('describes its routes as OpenAPI', async () => {
    const { body } = await call('GET', '/api/docs-json', { headers: { authorization: '' } });
    expect(body).toMatchObject({
      components: { securitySchemes: { bearer: { scheme: 'bearer', description: expect.stringContaining('.bullpen/token') as unknown } } },
    });
    expect(JSON.stringify(body)).not.toContain('JWT');
    const paths = Object.keys(body['paths'] as object);
    expect(paths).toEqual(
      expect.arrayContaining([
        '/api/v1/sessions',
        '/api/v1/sessions/{id}',
        '/api/v1/sessions/{id}/prompts',
        '/api/v1/sessions/{id}/cancel',
        '/api/v1/sessions/{id}/retry',
        '/api/v1/sessions/{id}/events',
        '/api/v1/sessions/{id}/files',
        '/api/v1/sessions/{id}/diff',
        '/api/v1/sessions/{id}/objects/{sha256}',
        '/api/v1/agents',
        '/healthz',
        '/readyz',
        '/metrics',
      ]),
    );
  });

  it('answers under its own names only', async () => {
    for (const host of [
      `127.0.0.1:${gateway.port}`,
      `localhost:${gateway.port}`,
      `[::1]:${gateway.port}`,
      'bullpen.example.org',
      'bullpen.example.org:8443',
    ]) {
      expect([host, await callAs(host)]).toEqual([host, 200]);
    }
    for (const host of ['evil.example.org', `127.0.0.1:${gateway.port + 1}`, `127.0.0.1.evil.org:${gateway.port}`, '127.0.0.1']) {
      expect([host, await callAs(host)]).toEqual([host, 421]);
    }
  });

  it('refuses pages of another origin', async () => {
    for (const origin of ['https://evil.example.org', 'null', `http://127.0.0.1:${gateway.port + 1}`]) {
      expectProblem(await call('GET', '/api/v1/agents', { headers: { origin } }), 403, 'origin.foreign');
    }
    expect((await call('GET', '/api/v1/agents', { headers: { origin: gateway.url } })).status).toBe(200);
  });

  it('gives every answer an id, the caller’s own if it has one', async () => {
    expect((await call('GET', '/healthz', { headers: { 'x-request-id': 'mine-1' } })).headers.get('x-request-id')).toBe('mine-1');
    expect((await call('GET', '/nothing', { headers: { 'x-request-id': 'no spaces' } })).headers.get('x-request-id')).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });

  it('sends headers that keep a browser from misusing an answer', async () => {
    const { headers } = await call('GET', '/api/v1/agents');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
  });
});

describe('errors', () => {
  it('are problem details, whatever went wrong', async () => {
    expectProblem(await call('GET', '/api/v1/nothing'), 404, 'route.not-found');
    const wrong = await call('DELETE', `${base}/prompts`);
    expectProblem(wrong, 405, 'method.not-allowed');
    expect(wrong.headers.get('allow')).toBe('POST');
    expectProblem(await call('POST', '/api/v1/sessions', { raw: '{"repository":' }), 400, 'request.malformed');
    expectProblem(await call('POST', '/api/v1/sessions', { raw: '"text"' }), 400, 'request.malformed');
    expect(await exchange('\0\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [^]*application\/problem\+json[^]*"code":"request.malformed"/);
    expect(await exchange(`GET /healthz HTTP/1.1\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 [^]*"request.headers-too-large"/);
    expect(await exchange(`GET /healthz HTTP/1.1\r\nHost: localhost:${gateway.port}\r\nExpect: wonders\r\nConnection: close\r\n\r\n`)).toMatch(/^HTTP\/1.1 200 /);
    expectProblem(await call('POST', '/api/v1/sessions', { raw: '[]' }), 400, 'request.invalid');
    expectProblem(
      await call('POST', '/api/v1/sessions', { raw: '{"repository":"sample"}', headers: { 'content-type': 'text/plain' } }),
      415,
      'request.media-type',
    );
    expectProblem(
      await call('POST', '/api/v1/sessions', { raw: '{}', headers: { 'content-encoding': 'gzip' } }),
      415,
      'request.media-type',
    );
    const large = JSON.stringify({ repository: 'sample', prompt: 'x'.repeat(MAX_BODY_BYTES) });
    expectProblem(await call('POST', '/api/v1/sessions', { raw: large }), 413, 'request.too-large');
    expectProblem(await call('GET', '/api/v1/%E0%A4%A'), 404, 'route.not-found');
    const path = await call('GET', '/api/v1/sessions/%ff');
    expectProblem(path, 400, 'request.malformed');
    expect(path.body['detail']).toContain('path');
  });

  it('name the fields that are wrong', async () => {
    const answer = await call('POST', '/api/v1/sessions', { body: { repository: 5, extra: true } });
    expectProblem(answer, 400, 'request.invalid');
    expect((answer.body['details'] as { fields: string[] }).fields.toSorted()).toEqual(['extra', 'repository']);
    const missing = await call('POST', '/api/v1/sessions', { body: {} });
    expect(missing.body['detail']).toBe('The request is not valid: repository must be a string.');
    expectProblem(await call('POST', `${base}/prompts`, { body: { text: '' } }), 400, 'request.invalid');
    expectProblem(await call('GET', '/api/v1/sessions?limit=0'), 400, 'request.invalid');
    expectProblem(await call('GET', '/api/v1/sessions?status=happy'), 400, 'request.invalid');
    expectProblem(await call('GET', '/api/v1/sessions?limit=1&limit=2'), 400, 'request.invalid');
  });

  it.each<[string, number]>([
    ['repository.not-found', 422],
    ['repository.branch-missing', 422],
    ['repository.empty', 422],
    ['idempotency.mismatch', 422],
    ['prompt.too-large', 413],
    ['session.not-found', 404],
    ['agent.unknown', 400],
  ])('of the session service keep their code: %s is %i', async (code, status) => {
    gateway.calls['CreateSession'] = () => {
      throw new Rejection(code, 'It cannot be.', { why: 'test' });
    };
    const answer = await call('POST', '/api/v1/sessions', { body: { repository: 'sample' } });
    expectProblem(answer, status, code);
    expect(answer.body).toMatchObject({ detail: 'It cannot be.', details: { why: 'test' } });
  });

  it('of something outside say when to try again', async () => {
    gateway.calls['QueuePrompt'] = () => {
      throw new Fault('log.unavailable', 'The log does not answer.', { retryAfterMs: 2_500 });
    };
    const answer = await call('POST', `${base}/prompts`, { body: { text: 'x' } });
    expectProblem(answer, 503, 'log.unavailable');
    expect(answer.headers.get('retry-after')).toBe('3');
  });

  it('of our own say nothing of the inside', async () => {
    gateway.calls['QueuePrompt'] = () => {
      throw new Error('secret inside');
    };
    const answer = await call('POST', `${base}/prompts`, { body: { text: 'x' } });
    expectProblem(answer, 500, 'internal');
    expect(answer.text).not.toContain('secret');
  });
});

describe('commands', () => {
  it('pass who asks, what and under which key', async () => {
    let asked: unknown;
    gateway.calls['CreateSession'] = (request) => {
      asked = request;
      return { sessionId: SESSION_ID, head: '770', promptId: 'p1' };
    };
    const body = { repository: 'sample', branch: 'main', title: 'T', prompt: 'do', agent: 'pi', model: 'm' };
    const answer = await call('POST', '/api/v1/sessions', { body, headers: { 'idempotency-key': 'k-1' } });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ id: SESSION_ID, promptId: 'p1', title: 'T', status: 'queued' });
    // Not the command's own: who goes on from `head` has everything before it in this answer, and nothing after it.
    expect(answer.body['head']).toBe(log.events(SESSION_ID).at(-1)?.id);
    const context = { idempotencyKey: 'k-1', actor: { kind: 'user', id: 'local', name: 'Ada', email: 'ada@example.org' } };
    expect(asked).toMatchObject({ ...body, context });
  });

  it('take a key of at most 200 characters', async () => {
    gateway.calls['CancelTurn'] = () => ({ cancelling: true, head: '9' });
    const keyed = (length: number) => call('POST', `${base}/cancel`, { headers: { 'idempotency-key': 'k'.repeat(length) } });
    expect((await keyed(200)).body).toEqual({ cancelling: true, head: '9' });
    expectProblem(await keyed(201), 400, 'idempotency.key-invalid');
  });

  it('answer with the position of a prompt, and with what a retry did', async () => {
    gateway.calls['QueuePrompt'] = ({ text }) => ({ promptId: String(text), position: 0, head: '1' });
    gateway.calls['RetryTurn'] = () => ({ retrying: false, head: '2' });
    const prompt = await call('POST', `${base}/prompts`, { body: { text: 'again' } });
    expect([prompt.status, prompt.body]).toEqual([202, { promptId: 'again', position: 0, head: '1' }]);
    const retry = await call('POST', `${base}/retry`);
    expect([retry.status, retry.body]).toEqual([202, { retrying: false, head: '2' }]);
  });

  it('take a whole prompt however it is escaped', async () => {
    let length = 0;
    gateway.calls['QueuePrompt'] = ({ text }) => {
      length = String(text).length;
      return { promptId: 'p', position: 0, head: '1' };
    };
    expect((await call('POST', `${base}/prompts`, { body: { text: '\u0001'.repeat(128 * 1024) } })).status).toBe(202);
    expect(length).toBe(128 * 1024);
  });

  it('never pass an id on that cannot be one', async () => {
    for (const id of ['*', '%3E', 'short', 'A'.repeat(26)]) {
      expectProblem(await call('POST', `/api/v1/sessions/${id}/cancel`), 404, 'session.not-found');
      expectProblem(await call('GET', `/api/v1/sessions/${id}/events`), 404, 'session.not-found');
      expectProblem(await call('GET', `/api/v1/sessions/${id}`), 404, 'session.not-found');
    }
  });
});

describe('reading', () => {
  it('shows a session with what a person must be told', async () => {
    const { body } = await call('GET', base);
    expect(body).toMatchObject({
      id: SESSION_ID,
      sessionId: SESSION_ID,
      title: 'T',
      modelNotice: 'Scripted model: no API key set',
    });
    expect(body['isolationWarning']).toMatch(/without isolation/);
  });

  it('lists sessions as the session service has them', async () => {
    gateway.calls['ListSessions'] = ({ status, limit, after }) => ({
      sessions: [
        {
          sessionId: SESSION_ID,
          title: `${String(status)} ${String(limit)} ${String(after)}`,
          repositoryName: 'sample',
          turns: 1,
        },
      ],
      nextCursor: 'next',
      stale: true,
    });
    const { body } = await call('GET', '/api/v1/sessions?status=failed&limit=7&after=12');
    expect(body).toMatchObject({ nextCursor: 'next', stale: true });
    expect(body['sessions']).toMatchObject([{ id: SESSION_ID, title: 'failed 7 12', repository: { name: 'sample' }, turns: 1 }]);
  });

  it('pages through events, both ways', async () => {
    const ids = log.events(SESSION_ID).map((each) => each.id);
    const page = async (query: string) => {
      const { body } = await call('GET', `${base}/events${query}`);
      return {
        ids: (body['events'] as { id: string }[]).map((each) => each.id),
        more: body['more'],
        head: body['head'],
        epoch: body['epoch'],
      };
    };
    const rest = { head: ids.at(-1), epoch: 'epoch-1' };
    expect(await page('')).toEqual({ ids, more: false, ...rest });
    expect(await page('?limit=2')).toEqual({ ids: ids.slice(0, 2), more: true, ...rest });
    expect(await page(`?after=${ids[1]}&limit=2`)).toEqual({ ids: ids.slice(2, 4), more: true, ...rest });
    expect(await page(`?after=${ids.at(-1)}`)).toEqual({ ids: [], more: false, ...rest });
    expect(await page(`?before=${ids[4]}&limit=2`)).toEqual({ ids: ids.slice(2, 4), more: true, ...rest });
    expect(await page(`?before=${ids[1]}`)).toEqual({ ids: ids.slice(0, 1), more: false, ...rest });
  });

  it('begins a page before an event where the index says, and at the start when it says nothing', async () => {
    const ids = log.events(SESSION_ID).map((each) => each.id);
    const last = ids.length - 1;
    const asked: unknown[] = [];
    const page = async () => ((await call('GET', `${base}/events?before=${ids[last]}&limit=2`)).body['events'] as { id: string }[]).map((each) => each.id);
    for (const after of [ids[last - 4], ids[0], '0']) {
      gateway.calls['LocateEvents'] = (request) => {
        asked.push(request);
        return { after };
      };
      const read = jest.spyOn(log, 'readSession');
      expect(await page()).toEqual(ids.slice(last - 2, last));
      expect(read.mock.calls.map(([, options]) => options.after)).toEqual([after]);
      read.mockRestore();
    }
    expect(asked[0]).toMatchObject({ sessionId: SESSION_ID, before: ids[last], count: 3 });
    delete gateway.calls['LocateEvents'];
    expect(await page()).toEqual(ids.slice(last - 2, last));
  });

  it('refuses positions and ranges that cannot be', async () => {
    expectProblem(await call('GET', `${base}/events?after=1&before=2`), 400, 'request.invalid');
    expectProblem(await call('GET', `${base}/events?after=99999`), 400, 'event.unknown');
    expectProblem(await call('GET', `${base}/events?before=99999`), 400, 'event.unknown');
    expectProblem(await call('GET', `${base}/events?limit=1001`), 400, 'request.invalid');
    expectProblem(await call('GET', `/api/v1/sessions/${'00'.padEnd(26, 'z')}/events`), 404, 'session.not-found');
  });

  it('gives the diff of a session and of a turn', async () => {
    const session = await call('GET', `${base}/diff`);
    expect([session.status, session.text]).toEqual([200, 'diff --git a/x b/x\n']);
    expect(session.headers.get('content-type')).toMatch(/^text\/x-diff/);
    const turn = await call('GET', `${base}/diff?turn=t1`);
    expect([turn.status, turn.text]).toEqual([200, '']);
    expectProblem(await call('GET', `${base}/diff?turn=t9`), 404, 'turn.not-found');
    expect((await call('GET', `${base}/files`)).body).toEqual({ files: [], total: 0, head: log.events(SESSION_ID).at(-1)?.id });
  });

  it('gives an object to those sessions only that refer to it, which writing its hash into a prompt does not', async () => {
    expect((await call('GET', `${base}/objects/${patchRef.sha256}`)).text).toBe('diff --git a/x b/x\n');
    expectProblem(await call('GET', `${base}/objects/${stranger.sha256}`), 404, 'object.not-found');
    expectProblem(await call('GET', `${base}/objects/..%2F..%2Fetc`), 404, 'object.not-found');
  });

  it('names the agents, and says that no real model answers', async () => {
    const { body } = await call('GET', '/api/v1/agents');
    const notice = 'Scripted model: no API key set';
    expect(body).toEqual({ agents: [{ agent: 'pi', model: 'scripted-1', provider: 'scripted', notice }], sandbox: null });
  });

  it('is ready when the log and the session service answer', async () => {
    const anonymous = { headers: { authorization: '' } };
    gateway.calls['ListSessions'] = () => ({ sessions: [], nextCursor: '', stale: false });
    expect((await call('GET', '/readyz', anonymous)).body).toEqual({ status: 'ready', checks: { log: true, session: true } });
    log.down = true;
    const answer = await call('GET', '/readyz', anonymous);
    log.down = false;
    expectProblem(answer, 503, 'platform.not-ready');
    expect(answer.body['details']).toEqual({ checks: { log: false, session: true } });
  });
});

describe('what is done with sessions, prompts and repositories', () => {
  const asked: Record<string, unknown>[] = [];
  const take = (name: string, answer: object): void => {
    asked.length = 0;
    gateway.calls[name] = (request) => {
      asked.push(request);
      return answer;
    };
  };

  it('renames, archives and brings back', async () => {
    take('RenameSession', { head: '7' });
    expect(await call('PATCH', base, { body: { title: 'New' } })).toMatchObject({ status: 200, body: { head: '7' } });
    expect(asked).toMatchObject([{ sessionId: SESSION_ID, title: 'New' }]);
    for (const bad of [{}, { title: '' }, { title: 'x'.repeat(201) }, { title: 'x', more: 1 }]) {
      expectProblem(await call('PATCH', base, { body: bad }), 400, 'request.invalid');
    }
    take('ArchiveSession', { changed: true, head: '8' });
    expect(await call('POST', `${base}/archive`)).toMatchObject({ status: 200, body: { changed: true, head: '8' } });
    take('UnarchiveSession', { changed: false, head: '9' });
    expect(await call('POST', `${base}/unarchive`)).toMatchObject({ status: 200, body: { changed: false, head: '9' } });
    expectProblem(await call('POST', '/api/v1/sessions/nope/archive'), 404, 'session.not-found');
  });

  it('takes no empty string for a value that may be left out', async () => {
    const asks = { repository: 'sample', prompt: 'x' };
    for (const name of ['repository', 'branch', 'title', 'agent', 'model']) {
      const answer = await call('POST', '/api/v1/sessions', { body: { ...asks, [name]: '' } });
      expectProblem(answer, 400, 'request.invalid');
      expect(JSON.stringify(answer.body)).toContain(name);
    }
    expectProblem(await call('GET', `${base}/diff?turn=`), 400, 'request.invalid');
  });

  it('passes on what a list is to hold', async () => {
    take('ListSessions', { sessions: [], nextCursor: '', stale: false });
    await call('GET', '/api/v1/sessions?q=log%20in&repository=r1&status=archived&after=12&limit=3');
    expect(asked).toMatchObject([{ query: 'log in', repositoryId: 'r1', status: 'archived', after: '12', limit: 3 }]);
  });

  it('changes and withdraws prompts that wait', async () => {
    take('EditPrompt', { position: 2, head: '7' });
    const changed = await call('PATCH', `${base}/prompts/p2`, { body: { text: 'better', before: null } });
    expect(changed).toMatchObject({ status: 200, body: { promptId: 'p2', position: 2, head: '7' } });
    await call('PATCH', `${base}/prompts/p2`, { body: { before: 'p1' } });
    await call('PATCH', `${base}/prompts/p2`, { body: { text: 'x' } });
    expect(asked).toMatchObject([
      { text: 'better', move: true, before: '' },
      { text: '', move: true, before: 'p1' },
      { text: 'x', move: false, before: '' },
    ]);
    expectProblem(await call('PATCH', `${base}/prompts/p2`, { body: {} }), 400, 'request.invalid');
    gateway.calls['WithdrawPrompt'] = () => {
      throw new Rejection('prompt.not-waiting', 'Its turn has started.');
    };
    expectProblem(await call('DELETE', `${base}/prompts/p1`), 409, 'prompt.not-waiting');
  });

  it('adds, lists and removes repositories', async () => {
    const repository = { id: 'r1', name: 'shop', source: '/srv/shop', defaultBranch: 'main', addedAt: 'then', lastUsedAt: '' };
    take('AddRepository', { repository });
    const added = await call('POST', '/api/v1/repositories', { body: { source: '/srv/shop' } });
    expect(added).toMatchObject({ status: 201, body: { id: 'r1', name: 'shop', source: '/srv/shop', defaultBranch: 'main' } });
    take('ListRepositories', { repositories: [repository], stale: false });
    expect((await call('GET', '/api/v1/repositories')).body).toMatchObject({ repositories: [{ id: 'r1', lastUsedAt: null }], stale: false });
    take('RemoveRepository', {});
    expect((await call('DELETE', '/api/v1/repositories/r1')).status).toBe(204);
    gateway.calls['RemoveRepository'] = () => {
      throw new Rejection('repository.unknown', 'No such repository.');
    };
    expectProblem(await call('DELETE', '/api/v1/repositories/r1'), 404, 'repository.unknown');
    gateway.calls['AddRepository'] = () => {
      throw new Rejection('repository.not-git', 'No git there.');
    };
    expectProblem(await call('POST', '/api/v1/repositories', { body: { source: '/tmp' } }), 422, 'repository.not-git');
  });
});
