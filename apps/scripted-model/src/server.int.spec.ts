import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { startScriptedModel, type ReceivedRequest, type ScriptedModel } from './server.js';

type Json = Record<string, unknown>;

/** What lies at a path inside an answer. */
function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Json | undefined)?.[key], value);
}

let model: ScriptedModel;
let received: ReceivedRequest[];

beforeEach(async () => {
  received = [];
  model = await startScriptedModel({ port: 0, onRequest: (request) => received.push(request) });
});
afterEach(() => model.close());

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${model.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** The data of each event of a finished stream. */
async function events(response: Response): Promise<Json[]> {
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith('data: ') && line !== 'data: [DONE]');
  return lines.map((line) => JSON.parse(line.slice('data: '.length)) as Json);
}

const anthropicTools = [{ name: 'bash', input_schema: { type: 'object', properties: { command: { type: 'string' } } } }];
const openaiTools = [{ type: 'function', function: { name: 'bash', parameters: { type: 'object', properties: { command: { type: 'string' } } } } }];

function anthropicRequest(messages: unknown[], more: Json = {}): Json {
  return { model: 'scripted-1', max_tokens: 100, messages, tools: anthropicTools, ...more };
}

describe('Anthropic Messages', () => {
  it('answers as JSON, the same twice', async () => {
    const request = anthropicRequest([{ role: 'user', content: 'hello' }]);
    const first = (await (await post('/v1/messages?beta=true', request)).json()) as Json;
    expect(first).toMatchObject({ type: 'message', role: 'assistant', model: 'scripted-1', stop_reason: 'end_turn' });
    expect(first['content']).toEqual([{ type: 'text', text: expect.stringMatching(/^Echo\(turn 1\): hello\n/) as unknown }]);
    expect(await (await post('/v1/messages', request)).json()).toEqual(first);
  });

  it('streams text and a tool call whose parts add up', async () => {
    const stream = await events(await post('/v1/messages', anthropicRequest([{ role: 'user', content: 'say: a b\nrun: ls -l' }], { stream: true })));
    expect(stream.map((event) => event['type']).filter((type, index, all) => type !== all[index - 1])).toEqual([
      'message_start',
      'ping',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    const deltas = stream.filter((event) => event['type'] === 'content_block_delta').map((event) => event['delta'] as Json);
    expect(deltas.map((delta) => delta['text'] ?? '').join('')).toBe('a b\nStep 1 of 1: run ls -l');
    expect(JSON.parse(deltas.map((delta) => delta['partial_json'] ?? '').join(''))).toEqual({ command: 'ls -l' });
    expect(stream.at(-2)).toMatchObject({ delta: { stop_reason: 'tool_use' } });
  });

  it('goes on from the tool results it is given', async () => {
    const messages: unknown[] = [
      { role: 'user', content: 'run: ls\nrun: pwd' },
      { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'bash', input: { command: 'ls' } }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't1', content: 'a.txt', is_error: true }] },
    ];
    const second = (await (await post('/v1/messages', anthropicRequest(messages))).json()) as Json;
    expect(at(second, 'content', 1)).toMatchObject({ type: 'tool_use', name: 'bash', input: { command: 'pwd' } });
    messages.push(
      { role: 'assistant', content: [at(second, 'content', 1)] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: at(second, 'content', 1, 'id'), content: '/r' }] },
    );
    const last = (await (await post('/v1/messages', anthropicRequest(messages))).json()) as Json;
    expect(last['content']).toEqual([{ type: 'text', text: 'Done: 2 steps, 1 failed.' }]);
  });

  it('counts turns over what the user wrote, not over reminders and results', async () => {
    const messages = [
      { role: 'user', content: [{ type: 'text', text: '<system-reminder>run: rm</system-reminder>' }, { type: 'text', text: 'one' }] },
      { role: 'assistant', content: 'Echo(turn 1): one' },
      { role: 'system', content: 'Working directory: /r' },
      { role: 'user', content: 'two' },
    ];
    const answer = (await (await post('/v1/messages', anthropicRequest(messages))).json()) as Json;
    expect(at(answer, 'content', 0, 'text')).toMatch(/^Echo\(turn 2\): two\n/);
  });

  it.each([
    ['no JSON', '{', 'not valid JSON'],
    ['no model', { max_tokens: 1, messages: [{ role: 'user', content: 'x' }] }, 'model'],
    ['no max_tokens', { model: 'm', messages: [{ role: 'user', content: 'x' }] }, 'max_tokens'],
    ['no messages', { model: 'm', max_tokens: 1, messages: [] }, 'messages'],
    ['an unanswered tool call', anthropicRequest([{ role: 'user', content: 'x' }, { role: 'assistant', content: [{ type: 'tool_use', id: 't9' }] }]), 't9'],
    ['an answer to nothing', anthropicRequest([{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 't7' }] }]), 't7'],
  ])('refuses %s', async (_, body, named) => {
    const response = await post('/v1/messages', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining(named) as unknown },
    });
  });

  it('fails as scripted', async () => {
    const response = await post('/v1/messages', anthropicRequest([{ role: 'user', content: 'error: 529' }], { stream: true }));
    expect(response.status).toBe(529);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
  });

  it('counts tokens, greets, and knows no other path', async () => {
    const counted = await post('/v1/messages/count_tokens', { model: 'm', messages: [{ role: 'user', content: 'hello' }] });
    expect(((await counted.json()) as Json)['input_tokens']).toBeGreaterThan(0);
    expect((await fetch(model.url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${model.url}/v1/models`)).status).toBe(404);
    expect((await fetch(`${model.url}/v1/messages`)).status).toBe(405);
  });
});

describe('OpenAI Chat Completions', () => {
  const chat = (messages: unknown[], more: Json = {}) => post('/v1/chat/completions', { model: 'scripted-1', messages, tools: openaiTools, ...more });

  it('answers as JSON and goes on from a tool result', async () => {
    const messages: unknown[] = [
      { role: 'system', content: 's' },
      { role: 'user', content: [{ type: 'text', text: 'run: ls' }] },
    ];
    const first = (await (await chat(messages)).json()) as Json;
    const message = at(first, 'choices', 0, 'message');
    const call = at(message, 'tool_calls', 0);
    expect(at(first, 'choices', 0, 'finish_reason')).toBe('tool_calls');
    expect(JSON.parse(at(call, 'function', 'arguments') as string)).toEqual({ command: 'ls' });
    messages.push(message, { role: 'tool', tool_call_id: at(call, 'id'), content: 'a.txt' });
    const last = (await (await chat(messages)).json()) as Json;
    expect(at(last, 'choices', 0)).toMatchObject({ message: { content: 'Done: 1 step.' }, finish_reason: 'stop' });
  });

  it('streams chunks, the tool call and the usage that was asked for', async () => {
    const response = await chat([{ role: 'user', content: 'say: a b\nrun: ls' }], { stream: true, stream_options: { include_usage: true } });
    const chunks = await events(response);
    const deltas = chunks.flatMap((chunk) => (chunk['choices'] as Json[]).map((choice) => choice['delta'] as Json));
    expect(deltas.map((delta) => delta['content'] ?? '').join('')).toBe('a b\nStep 1 of 1: run ls');
    expect(at(deltas.find((delta) => delta['tool_calls']), 'tool_calls', 0)).toMatchObject({ index: 0, function: { name: 'bash' } });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as unknown } });
  });

  it('refuses in its own shape', async () => {
    const response = await chat([{ role: 'tool', tool_call_id: 'c9', content: '' }]);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error', message: expect.stringContaining('c9') as unknown } });
  });
});

describe('the server', () => {
  it('paces slow text and stops for a client that goes away', async () => {
    const started = Date.now();
    const text = await (await post('/v1/messages', anthropicRequest([{ role: 'user', content: 'slow: 5' }], { stream: true }))).text();
    expect(text).toContain('word5');
    expect(Date.now() - started).toBeGreaterThanOrEqual(450);

    const gone = new AbortController();
    const response = await fetch(`${model.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify(anthropicRequest([{ role: 'user', content: 'slow: 1000' }], { stream: true })),
      signal: gone.signal,
    });
    await response.body?.getReader().read();
    gone.abort();
    expect((await fetch(model.url)).status).toBe(200);
  });

  it('closes while a reply streams', async () => {
    const response = await post('/v1/messages', anthropicRequest([{ role: 'user', content: 'slow: 1000' }], { stream: true }));
    const reading = response.text().catch(() => 'cut');
    await model.close();
    expect(await reading).toBe('cut');
  });

  it('shows requests with their credentials to whoever asked to see them', async () => {
    await post('/v1/messages', anthropicRequest([{ role: 'user', content: 'x' }]), { 'x-api-key': 'canary' });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'POST', path: '/v1/messages', headers: { 'x-api-key': 'canary' } });
  });

  it('refuses a body over the limit', async () => {
    const response = await post('/v1/messages', `"${'x'.repeat(33 * 1024 * 1024)}"`);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { type: 'request_too_large' } });
  });

  it('names a taken port', async () => {
    await expect(startScriptedModel({ port: model.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
