import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from '@jest/globals';

import { mismatches } from './api-schema.js';
import type { Schema, Schemas } from './api-schema.js';
import { CHECKOUT, TestPlatform, eventually } from './platform.harness.js';

/** Goal: every route answers as docs/api/openapi.json says, to the last property. Method: each called once on the real product. */
interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>>;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Schemas };
}
interface Session {
  readonly id: string;
  readonly status: string;
  readonly checkpoint: { readonly patch: { readonly sha256: string } } | null;
  readonly turns: readonly { readonly turnId: string; readonly items: readonly { readonly kind: string }[] }[];
}

const API = JSON.parse(readFileSync(join(CHECKOUT, 'docs/api/openapi.json'), 'utf8')) as Description;
const called = new Set<string>();
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterAll(async () => platform?.remove(), 60_000);

/** Calls the route `METHOD /template`, and compares what comes back with what is described for its status. */
async function call<Body>(status: number, route: string, places: Readonly<Record<string, string>> = {}, body?: unknown): Promise<Body> {
  const [method = '', template = ''] = route.split(' ');
  const [path = '', query = ''] = template.split('?');
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => places[name] ?? name);
  const answer = await fetch(`${platform.url}${filled}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: { authorization: `Bearer ${platform.token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const operation = API.paths[path]?.[method.toLowerCase()];
  const described = operation?.responses[String(answer.status)] ?? operation?.responses['default'];
  called.add(`${method} ${path}`);
  expect({ route, status: answer.status, text: answer.ok ? '' : text, isDescribed: described !== undefined }).toEqual({ route, status, text: expect.any(String), isDescribed: true });
  const type = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  if (!type.endsWith('json')) return text as Body;
  const parsed: unknown = JSON.parse(text);
  const schema = described?.content?.[type]?.schema;
  expect({ route, found: schema === undefined ? [`${type} is not described`] : mismatches(API.components.schemas, schema, parsed) }).toEqual({ route, found: [] });
  return parsed as Body;
}

const SESSION = '/api/v1/sessions/{id}';

async function becomes(id: string, status: string): Promise<Session> {
  await eventually(`the session is ${status}`, 60_000, async () => (await platform.session(id)).status === status);
  return call<Session>(200, `GET ${SESSION}`, { id });
}

async function queueIsEdited(id: string, running: string): Promise<void> {
  const waiting = await call<{ promptId: string }>(202, `POST ${SESSION}/prompts`, { id }, { text: 'write hello.txt: hi\nrun: cat hello.txt' });
  const withdrawn = await call<{ promptId: string }>(202, `POST ${SESSION}/prompts`, { id }, { text: 'never' });
  await call(200, `PATCH ${SESSION}/prompts/{promptId}`, { id, ...withdrawn }, { text: 'not ever', before: waiting.promptId });
  await call(200, `GET ${SESSION}`, { id });
  await call(200, `DELETE ${SESSION}/prompts/{promptId}`, { id, ...withdrawn });
  await call(409, `DELETE ${SESSION}/prompts/{promptId}`, { id, promptId: running });
}

async function contentsAreRead(id: string, { checkpoint, turns }: Session): Promise<void> {
  expect(turns.flatMap(({ items }) => items.map(({ kind }) => kind))).toEqual(expect.arrayContaining(['text', 'tool']));
  const { events } = await call<{ events: { type: string }[] }>(200, `GET ${SESSION}/events`, { id });
  const expected = ['SessionCreated', 'PromptEdited', 'PromptMoved', 'PromptWithdrawn', 'TurnCancelRequested', 'TurnEnded', 'SandboxStageEntered', 'ToolCallCompleted', 'FilesChanged', 'CheckpointCreated', 'BranchPushed', 'AgentTurnFinished'];
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(expected));
  expect(await call<{ files: unknown[] }>(200, `GET ${SESSION}/files`, { id })).toMatchObject({ files: [{ path: 'hello.txt' }] });
  expect(await call<string>(200, `GET ${SESSION}/diff`, { id })).toContain('hello.txt');
  expect(await call<string>(200, `GET ${SESSION}/objects/{sha256}`, { id, sha256: checkpoint?.patch.sha256 ?? '' })).toContain('hello.txt');
  await call(404, `GET ${SESSION}/objects/{sha256}`, { id, sha256: 'x' });
}

async function repositoriesAreKept(): Promise<void> {
  const source = join(platform.home, 'outside');
  execFileSync('git', ['init', '--quiet', source]);
  execFileSync('git', ['-C', source, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'first']);
  const { id } = await call<{ id: string }>(201, 'POST /api/v1/repositories', {}, { source });
  await call(200, 'GET /api/v1/repositories');
  await call(204, 'DELETE /api/v1/repositories/{id}', { id });
  await call(422, 'POST /api/v1/repositories', {}, { source: join(platform.home, 'nothing') });
}

it('answers every route as described', async () => {
  await call(200, 'GET /healthz');
  await call(200, 'GET /readyz');
  await call(200, 'GET /metrics');
  await call(200, 'GET /api/v1/agents');
  const { code } = await call<{ code: string }>(201, 'POST /api/v1/sign-in-codes');
  await call(200, 'POST /api/v1/sign-in', {}, { code });
  const { id, promptId } = await call<Session & { promptId: string }>(201, 'POST /api/v1/sessions', {}, { repository: 'sample', prompt: 'run: sleep 60' });
  await eventually('the tool runs', 60_000, async () => (await platform.session(id)).turns.some(({ items }) => items.some(({ kind }) => kind === 'tool')));
  await queueIsEdited(id, promptId);
  await call(202, `POST ${SESSION}/cancel`, { id });
  await eventually('the second turn ended', 60_000, async () => (await platform.session(id)).turns.filter(({ endedAt }) => endedAt !== null).length === 2);
  await eventually('its branch is pushed', 30_000, async () => (await platform.session(id)).push?.state === 'pushed');
  await contentsAreRead(id, await becomes(id, 'idle'));
  await call(202, `POST ${SESSION}/retry`, { id });
  await call(200, `PATCH ${SESSION}`, { id }, { title: 'Another' });
  await call(200, 'GET /api/v1/sessions');
  await call(200, `POST ${SESSION}/archive`, { id });
  await call(200, `POST ${SESSION}/unarchive`, { id });
  await repositoriesAreKept();
  await call(200, `DELETE ${SESSION}`, { id });
  await call(404, `GET ${SESSION}`, { id });
  const described = Object.entries(API.paths).flatMap(([path, operations]) => Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`));
  expect([...called].toSorted()).toEqual(described.toSorted());
}, 240_000);
