import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { WebSocket } from 'ws';

import { RunnerHandshake, signSandboxToken } from '@bullpen/auth';
import { RUNNER_LINK_PATH, RUNNER_LINK_PROTOCOL } from '@bullpen/contracts';

import { CHECKOUT, TestPlatform, eventually, freePort } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: each way in which a request, a runner, a server or an agent can be wrong has a code of its own, says what, which and what next to whoever
 * asked, by the API and by the CLI, and changes nothing. Method: one row for each. A disk that is full or cannot be written: disk.e2e.spec.ts.
 */
const EXIT_REFUSED = 3;
const SECOND = 1_000;
const HOUR_MS = 3_600_000;
const MAX_PROMPT_BYTES = 128 * 1024;
const CLI_FILE = 'node_modules/@earendil-works/pi-coding-agent/dist/bundle/cli.js';

let platform: TestPlatform;
/** What the sources and the agent of these tests lie in. */
let folder: string;
let privateHost: SecureServer;
/** A session that is only renamed. */
let markerId: string;
let places: Record<'missing' | 'plain' | 'repository' | 'private', string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bullpen-errors-'));
  mkdirSync(join(folder, 'plain'));
  mkdirSync(join(folder, 'agents', 'node_modules'), { recursive: true });
  execFileSync('git', ['init', '-q', '-b', 'main', join(folder, 'repository')]);
  execFileSync('git', ['-C', join(folder, 'repository'), '-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-q', '--allow-empty', '-m', 'first']);
  privateHost = await hostThatAsksForAPassword();
  const host = `127.0.0.1:${(privateHost.address() as AddressInfo).port}`;
  places = { missing: join(folder, 'missing'), plain: join(folder, 'plain'), repository: join(folder, 'repository'), private: `https://${host}/private.git` };
  platform = await TestPlatform.start({ BULLPEN_AGENTS: join(folder, 'agents'), BULLPEN_PRIVATE_HOSTS: '127.0.0.1', GIT_SSL_CAINFO: join(folder, 'cert.pem') });
  markerId = await platform.createSession('', { prompt: undefined });
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => {
  await platform?.remove();
  privateHost?.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

interface Refusal {
  readonly status: number;
  readonly code: string;
  /** What, which, and what next. */
  readonly says: RegExp;
  readonly ask: () => Promise<{ status: number; body: { code: string; detail: string; type: string } }>;
  /** The same from a terminal, where it can be done there. */
  readonly typed?: () => Promise<{ exitCode: number | null; output: string }>;
}

const create = (body: unknown, headers: Record<string, string> = {}) => platform.api<{ code: string; detail: string; type: string }>('POST', '/sessions', body, headers);
const run = (repository: string, ...more: string[]) => platform.cli(['run', '--repo', repository, ...more, 'x']);
const tooLarge = (): string => 'é'.repeat(MAX_PROMPT_BYTES / 2 + 1);

const REFUSALS: Readonly<Record<string, Refusal>> = {
  'a repository that does not exist': {
    status: 422,
    code: 'repository.not-found',
    says: /There is no folder \S+\/missing\. Check the path/,
    ask: () => create({ repository: places.missing, prompt: 'x' }),
    typed: () => run(places.missing),
  },
  'a path without git': {
    status: 422,
    code: 'repository.not-git',
    says: /\S+\/plain is not a git repository\. .*git init/,
    ask: () => create({ repository: places.plain, prompt: 'x' }),
    typed: () => run(places.plain),
  },
  'a missing branch': {
    status: 422,
    code: 'repository.branch-missing',
    says: /\S+\/repository has no branch nowhere\. Give the name/,
    ask: () => create({ repository: places.repository, branch: 'nowhere', prompt: 'x' }),
    typed: () => run(places.repository, '--branch', 'nowhere'),
  },
  'a private repository': {
    status: 422,
    code: 'repository.not-readable',
    says: /may not read https:\S+\/private\.git.*Give it access/,
    ask: () => create({ repository: places.private, prompt: 'x' }),
    typed: () => run(places.private),
  },
  'a prompt over 128 KiB': {
    status: 413,
    code: 'prompt.too-large',
    says: /131074 bytes.*131072/,
    ask: () => create({ repository: 'sample', prompt: tooLarge() }),
    typed: () => platform.cli(['run', '--repo', 'sample', '-'], { input: tooLarge() }),
  },
  'invalid JSON': { status: 400, code: 'request.malformed', says: /cannot be read.*body one JSON object/, ask: () => raw('{"repository": ') },
  'unknown fields': { status: 400, code: 'request.invalid', says: /colour/, ask: () => create({ repository: 'sample', colour: 'red' }) },
  'no token': { status: 401, code: 'auth.missing', says: /no token\. Send `Authorization: Bearer/, ask: () => raw('{}', { authorization: '' }) },
  'a wrong token': {
    status: 401,
    code: 'auth.invalid',
    says: /token is not valid here\. Send the one of this platform/,
    ask: () => raw('{"repository": "sample"}', { authorization: 'Bearer wrong' }),
    typed: () => platform.cli(['run', '--repo', 'sample', 'x'], { environment: { BULLPEN_TOKEN: 'wrong' } }),
  },
  'the same Idempotency-Key with another body': {
    status: 422,
    code: 'idempotency.mismatch',
    says: /Idempotency-Key was used for another request: it made session \w+\. Use a new key/,
    ask: () => create({ repository: 'sample', title: 'another' }, { 'idempotency-key': 'errors-once' }),
  },
  'a session that is not there': {
    status: 404,
    code: 'session.not-found',
    says: /There is no session 0{28}\. Check its id, or list/,
    ask: () => platform.api('POST', `/sessions/${'00'.padEnd(28, '0')}/prompts`, { text: 'x' }),
    typed: () => platform.cli(['prompt', '00'.padEnd(28, '0'), 'x']),
  },
};

describe('a request with', () => {
  beforeAll(() => create({ repository: 'sample', title: 'one' }, { 'idempotency-key': 'errors-once' }).then(() => undefined));

  it.each(Object.entries(REFUSALS))('%s is refused by name, in words, and changes nothing', async (_, { status, code, says, ask, typed }) => {
    const before = await sessionsAsOfNow();
    const answer = await ask();
    expect(answer).toMatchObject({ status, body: { status, code, type: `urn:bullpen:problem:${code}`, detail: expect.stringMatching(says) } });
    const shown = await typed?.();
    if (shown) expect(shown).toMatchObject({ exitCode: EXIT_REFUSED, output: expect.stringMatching(says) });
    if (shown) expect(shown.output).toMatch(new RegExp(`^error: .*\\n  code: ${code.replace('.', '\\.')}$`, 'm'));
    expect(await sessionsAsOfNow()).toEqual(before);
  }, 30_000);

  it('nobody who answers at the address says where it looked and how to start it', async () => {
    const away = await platform.cli(['--url', `http://127.0.0.1:${await freePort()}`, 'sessions'], { environment: { BULLPEN_TOKEN: 't' } });
    expect(away).toMatchObject({ exitCode: EXIT_REFUSED, output: expect.stringMatching(/Cannot reach the platform at http:\S+ \(from --url\)[^]*code: platform\.unreachable\n {2}next: start the platform with make up/) });
  }, 30_000);
});

describe('a runner with', () => {
  it('a forged token is turned away by name, and logged', async () => {
    const { sessionId, sandboxId, generation } = await sandboxOf(await platform.createSession('x'));
    const forged = signSandboxToken({ sandboxId, sessionId, generation, expiresAt: Date.now() + HOUR_MS }, 'f'.repeat(64));
    expect(await greet(forged)).toEqual({ kind: 'refused', reason: { code: 'token.invalid', message: expect.stringMatching(/token of the sandbox.*new generation/) } });
    expect(logLines('token.invalid')).not.toEqual([]);
  }, 60_000);

  it('the token of an older generation is turned away by name, and logged; the session goes on', async () => {
    const id = await platform.createSession('x');
    const old = await sandboxOf(id);
    await platform.api('POST', `/sessions/${id}/archive`);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('SandboxStopped');
    await platform.api('POST', `/sessions/${id}/unarchive`);
    await platform.api('POST', `/sessions/${id}/prompts`, { text: 'x' });
    await watcher.sees('GenerationStarted', ({ data }) => data['generation'] === 2);
    const { sandbox: key } = JSON.parse(readFileSync(join(platform.home, 'secrets.json'), 'utf8')) as { sandbox: string };
    const answer = await greet(signSandboxToken({ ...old, expiresAt: Date.now() + HOUR_MS }, key));
    expect(answer).toEqual({ kind: 'refused', reason: { code: 'generation.superseded', message: expect.stringContaining(old.sandboxId) } });
    expect(logLines('generation.superseded')).not.toEqual([]);
    await eventually('the second turn ends', 20_000, () => watcher.events.filter(({ type }) => type === 'TurnEnded').length === 2);
    expect(watcher.faults).toEqual([]);
  }, 90_000);
});

describe('an agent that', () => {
  const install = (source: string): void => {
    const file = join(folder, 'agents', CLI_FILE);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, source);
  };

  it('is missing, crashes at its start, and is mended: the turn fails by name, the sandbox stays, the next prompt runs', async () => {
    rmSync(join(folder, 'agents', 'node_modules', '@earendil-works'), { recursive: true, force: true });
    const id = await platform.createSession('x');
    const watcher = Watcher.follow(platform, id);
    const failed = (code: string) => watcher.sees('AgentFailed', ({ data }) => (data['reason'] as { code: string }).code === code);
    expect((await failed('agent.missing')).data).toMatchObject({ exitCode: -1, reason: { message: expect.stringMatching(/pi is not installed: \S+ cannot be read\. Run make setup/) } });
    await watcher.sees('TurnEnded', ({ data }) => data['outcome'] === 'failed');

    install(`console.error('warming up'); console.error('licence file is corrupt'); process.exit(7);`);
    const typed = await platform.cli(['prompt', id, 'x']);
    expect(typed).toMatchObject({ exitCode: 1, output: expect.stringMatching(/ended with exit code 7: licence file is corrupt before it accepted prompts/) });
    expect((await failed('agent.start-failed')).data).toMatchObject({ exitCode: 7, signal: '', stderr: 'warming up\nlicence file is corrupt\n' });

    install(MENDED_AGENT);
    await platform.api('POST', `/sessions/${id}/prompts`, { text: 'x' });
    await watcher.sees('TurnEnded', ({ data }) => data['outcome'] === 'completed');
    expect(watcher.events.filter(({ type }) => type === 'GenerationStarted')).toHaveLength(1);
    expect(watcher.faults).toEqual([]);
  }, 60_000);
});

describe('a server that', () => {
  it('does not answer: who asks is told, and the same request again is done once, when it answers', async () => {
    const id = await platform.createSession('', { prompt: undefined });
    const ask = () => platform.api<{ code: string; detail: string }>('POST', `/sessions/${id}/prompts`, { text: 'x' }, { 'idempotency-key': 'asked-twice' });
    const nats = platform.pidOf('nats');
    process.kill(nats, 'SIGSTOP');
    const typed = platform.cli(['rename', id, 'Renamed meanwhile']);
    const answer = await ask().finally(() => process.kill(nats, 'SIGCONT'));
    expect(answer).toMatchObject({ status: 503, body: { code: 'log.unavailable', detail: expect.stringMatching(/event log.*repeat the request/i) } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(logLines('log.unavailable')).not.toEqual([]);
    expect(await ask()).toMatchObject({ status: 202 });
    expect(await typed).toMatchObject({ exitCode: 0 });
    const { turns, queue, title } = await platform.session(id);
    expect({ asked: turns.length + queue.length, title }).toEqual({ asked: 1, title: 'Renamed meanwhile' });
  }, 60_000);

  it.each([
    ['NATS of an old version', 'NATS_URL', 'nats', oldNats, 'nats.version', /version 2\.9\.10; Bullpen needs 2\.12\.0 or newer\. Upgrade it, or unset NATS_URL/],
    ['NATS that is away', 'NATS_URL', 'nats', null, 'log.unavailable', /event log at \S+ does not answer\. Start it, or correct NATS_URL/],
    ['Postgres of an old version', 'DATABASE_URL', 'postgres', oldPostgres, 'postgres.version', /version 13\.9; Bullpen needs 14 or newer\. Upgrade it, or unset DATABASE_URL/],
    ['Postgres that is away', 'DATABASE_URL', 'postgres', null, 'postgres.unreachable', /cannot be reached: .*Start it, or correct DATABASE_URL/],
  ] as const)('is %s stops make up by name', async (_, variable, scheme, serve, code, says) => {
    const server = serve === null ? null : await listening(serve());
    const port = server === null ? await freePort() : (server.address() as AddressInfo).port;
    const home = join(folder, `home-${port}`);
    const refused = await makeUp({ BULLPEN_HOME: home, [variable]: `${scheme}://u:s3cret@127.0.0.1:${port}/d` });
    server?.close();
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringMatching(new RegExp(`^${code.replace('.', '\\.')}: .*${says.source}`, 'm')) });
    expect(refused.output).not.toContain('s3cret');
  }, 60_000);
});

async function raw(body: string, headers: Record<string, string> = {}) {
  const answer = await fetch(`${platform.url}/api/v1/sessions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${platform.token}`, 'content-type': 'application/json', ...headers },
    body,
  });
  return { status: answer.status, body: (await answer.json()) as { code: string; detail: string; type: string } };
}

/** Where every session but this one ends, once the list has all that was decided before. */
async function sessionsAsOfNow(): Promise<unknown> {
  const { body: renamed } = await platform.api<{ head: string }>('PATCH', `/sessions/${markerId}`, { title: `Marker ${Date.now()}` });
  const { body } = await platform.api<{ stale: boolean; sessions: { id: string; rev: string }[] }>('GET', `/sessions?limit=200&after=${renamed.head}`);
  expect(body.stale).toBe(false);
  return body.sessions.filter(({ id }) => id !== markerId).map(({ id, rev }) => [id, rev]);
}

interface Sandbox {
  readonly sessionId: string;
  readonly sandboxId: string;
  readonly generation: number;
}

async function sandboxOf(sessionId: string): Promise<Sandbox> {
  const watcher = Watcher.follow(platform, sessionId);
  const { data } = await watcher.sees('GenerationStarted');
  await watcher.sees('TurnEnded');
  watcher.close();
  return { sessionId, sandboxId: String(data['sandboxId']), generation: Number(data['generation']) };
}

/** As the holder of a token greets; what it is answered in the end. */
async function greet(token: string): Promise<unknown> {
  const url = `ws://127.0.0.1:${platform.runFile.ports['orchestratorLink']}${RUNNER_LINK_PATH}`;
  const handshake = new RunnerHandshake(token, url);
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await once(socket, 'open');
  socket.send(JSON.stringify({ kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...handshake.hello }));
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer to a greeting')), 10 * SECOND);
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { kind: string; nonce: string; proof: string };
      // Who does not know the key cannot tell whether the other side does: it answers all the same.
      if (message.kind === 'challenge') return socket.send(JSON.stringify({ kind: 'proof', proof: handshake.answer(message) ?? 'A'.repeat(43) }));
      clearTimeout(timer);
      socket.close();
      resolve(message);
    });
  });
}

function logLines(code: string): string[] {
  const lines = Object.keys(platform.runFile.processes).flatMap((name) => readFileSync(join(platform.home, 'logs', `${name}.log`), 'utf8').split('\n'));
  return lines.filter((line) => line.includes(`"code":"${code}"`));
}

async function hostThatAsksForAPassword(): Promise<SecureServer> {
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
  const server = createSecureServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Basic realm="private"' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function listening(server: Server): Promise<Server> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function oldNats(): Server {
  return createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`INFO ${JSON.stringify({ server_id: 'OLD', version: '2.9.10', jetstream: true, headers: true, max_payload: 1_048_576, proto: 1 })}\r\n`);
    socket.on('data', (text) => String(text).includes('PING') && socket.write('PONG\r\n'));
  });
}

/** As much of Postgres's protocol as says how old it is: no password, and one row to any query. */
function oldPostgres(): Server {
  const message = (type: string, body: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    return Buffer.concat([Buffer.from(type), length, body]);
  };
  const int16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
  const int32 = (value: number): Buffer => Buffer.from([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
  const ready = message('Z', Buffer.from('I'));
  const row = { version: '13.9', number: '130009', may: 't' };
  const columns = Object.keys(row).map((name) => Buffer.concat([Buffer.from(`${name}\0`), int32(0), int16(0), int32(name === 'may' ? 16 : 25), int16(-1 & 0xffff), int32(0), int16(0)]));
  const values = Object.values(row).map((value) => Buffer.concat([int32(value.length), Buffer.from(value)]));
  const answer = Buffer.concat([
    message('T', Buffer.concat([int16(columns.length), ...columns])),
    message('D', Buffer.concat([int16(values.length), ...values])),
    message('C', Buffer.from('SELECT 1\0')),
    ready,
  ]);
  return createServer((socket) => {
    let greeted = false;
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      if (!greeted) socket.write(Buffer.concat([message('R', int32(0)), ready]));
      else if (data[0] === 'Q'.charCodeAt(0)) socket.write(answer);
      greeted = true;
    });
  });
}

async function makeUp(settings: Readonly<Record<string, string>>): Promise<{ exitCode: number | null; output: string }> {
  const script = join(CHECKOUT, 'apps/standalone/dist/supervisor.js');
  const env = { ...platform.variables, BULLPEN_PORT: String(await freePort()), ...settings };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, 'up'], { env, timeout: 40 * SECOND }, (_, stdout, stderr) => resolve({ exitCode: child.exitCode, output: stdout + stderr }));
  });
}

/** As much of an agent as takes a prompt and is done with it. */
const MENDED_AGENT = `
const say = (record) => process.stdout.write(JSON.stringify(record) + '\\n');
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, type } = JSON.parse(line);
  if (type === 'get_state') say({ type: 'response', id, success: true });
  if (type === 'prompt') for (const record of [{ type: 'agent_start' }, { type: 'agent_settled' }]) say(record);
});
`;
