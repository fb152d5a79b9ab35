import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { createPiAgent } from '@bullpen/agent-pi';
import type { AgentProcess } from '@bullpen/agent-port';
import type { SessionEvent } from '@bullpen/contracts';
import { startScriptedModel } from '@bullpen/scripted-model';
import { temporaryFolder } from '@bullpen/testing';

import { startBenchPlatform } from './bench-platform.js';
import type { BenchPlatform } from './bench-platform.js';
import { CHECKOUT } from './checkout.js';
import { memoryRow } from './memory.js';
import { median } from './statistics.js';
import type { Row } from './statistics.js';

const PROMPTS = 15;
const REPLY_BYTES = 10 * 1024;
const DELTA_CHARS = 20;
const DELTA_MS = 10;
const WAIT_MS = 60_000;

/** A warm session beside the bare agent, on the same model; bytes of a streamed reply; memory of the idle platform. */
export async function benchAgent(): Promise<readonly Row[]> {
  const model = await startScriptedModel({ port: 0 });
  const streaming = await startStreamingModel();
  const rows: Row[] = [];
  try {
    const platform = await startBenchPlatform({ BULLPEN_MODEL_BASE_URL: model.url });
    try {
      rows.push(await memoryRow(platform.process.pid ?? 0));
      rows.push(await firstTokenRow(platform, model.url));
    } finally {
      await platform.stop();
    }
    rows.push(await bytesRow(streaming.url));
  } finally {
    streaming.close();
    await model.close();
  }
  return rows;
}

async function firstTokenRow(platform: BenchPlatform, modelUrl: string): Promise<Row> {
  const follower = followTexts();
  const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample', prompt: 'warm up' });
  const socket = await platform.follow(id, follower.take);
  await follower.turnsEnded(1);
  const bare = await startBareAgent(modelUrl);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let run = 0; run < PROMPTS; run += 1) {
    const begun = performance.now();
    const firstText = follower.nextText();
    await platform.api('POST', `/sessions/${id}/prompts`, { text: 'hello' });
    ours.push((await firstText) - begun);
    await follower.turnsEnded(2 + run);
    theirs.push(await bare.promptToText());
  }
  socket.disconnect();
  await bare.stop();
  return { what: 'prompt → first token, warm session', unit: 'ms', bullpen: median(ours), bare: median(theirs), bareIs: 'pi over its own pipe' };
}

async function startBareAgent(modelUrl: string): Promise<{ promptToText(): Promise<number>; stop(): Promise<void> }> {
  const folder = await temporaryFolder('bare-agent');
  const [cwd, home] = [join(folder.path, 'work'), join(folder.path, 'home')];
  for (const path of [cwd, home]) mkdirSync(path);
  const agent = createPiAgent({ nodePath: process.execPath, agentsFolder: CHECKOUT });
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, TERM: 'dumb' };
  const launch = { cwd, home, model: 'scripted-1', modelProvider: 'scripted', baseUrl: modelUrl, apiKey: null, environment, resume: false, transcript: null } as const;
  const running = await agent.start(launch);
  await promptToText(running);
  return {
    promptToText: () => promptToText(running),
    stop: async () => {
      await running.stop();
      await folder.remove();
    },
  };
}

async function promptToText(agent: AgentProcess): Promise<number> {
  const begun = performance.now();
  let first: number | null = null;
  await agent.prompt({ text: 'hello' }, (event) => {
    if (event.kind === 'text') first ??= performance.now() - begun;
  });
  if (first === null) throw new Error('the bare agent said nothing');
  return first;
}

/** What the socket of one client carries, from the prompt to the end of the turn, for a reply streamed token by token. */
async function bytesRow(modelUrl: string): Promise<Row> {
  const platform = await startBenchPlatform({ BULLPEN_MODEL_BASE_URL: modelUrl });
  try {
    const follower = followTexts();
    const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample', prompt: 'warm up' });
    const socket = await platform.follow(id, follower.take);
    await follower.turnsEnded(1);
    const carried = (): number => (socket.io.engine.transport as unknown as { ws: { _socket: { bytesRead: number } } }).ws._socket.bytesRead;
    const before = carried();
    await platform.api('POST', `/sessions/${id}/prompts`, { text: 'a long answer, please' });
    await follower.turnsEnded(2);
    const bytes = carried() - before;
    socket.disconnect();
    return { what: 'bytes to a client for a 10 KB streamed reply', unit: 'KB', bullpen: bytes / 1024, bare: REPLY_BYTES / 1024, bareIs: 'the text itself' };
  } finally {
    await platform.stop();
  }
}

interface Follower {
  readonly take: (events: readonly SessionEvent[]) => void;
  nextText(): Promise<number>;
  turnsEnded(count: number): Promise<void>;
}

function followTexts(): Follower {
  let ended = 0;
  let onText: ((at: number) => void) | null = null;
  const take = (events: readonly SessionEvent[]): void => {
    for (const event of events) {
      if (event.type === 'TurnEnded') ended += 1;
      if (event.type !== 'AssistantTextAppended') continue;
      onText?.(performance.now());
      onText = null;
    }
  };
  return {
    take,
    nextText: () => new Promise((resolve) => (onText = resolve)),
    turnsEnded: async (count) => {
      for (const end = Date.now() + WAIT_MS; ended < count; ) {
        if (Date.now() > end) throw new Error(`${ended} of ${count} turns ended`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
  };
}

/** Anthropic Messages, streaming only: 10 KB in deltas of 20 characters, 100 of them a second, as a fast model does. */
async function startStreamingModel(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => void stream(response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

async function stream(response: ServerResponse): Promise<void> {
  const send = (type: string, data: object): void => void response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const usage = { input_tokens: 1, output_tokens: 1 };
  send('message_start', { message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'bench', content: [], stop_reason: null, stop_sequence: null, usage } });
  send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  for (let sent = 0; sent < REPLY_BYTES; sent += DELTA_CHARS) {
    send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'abcd efgh ijkl mnop '.slice(0, DELTA_CHARS) } });
    await new Promise((resolve) => setTimeout(resolve, DELTA_MS));
  }
  send('content_block_stop', { index: 0 });
  send('message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage });
  send('message_stop', {});
  response.end();
}
