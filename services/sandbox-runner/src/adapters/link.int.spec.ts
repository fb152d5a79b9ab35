import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { OrchestratorHandshake, RunnerHandshake, signSandboxToken } from '@bullpen/auth';
import { MAX_GREETING_BYTES, runnerMessageSchema } from '@bullpen/contracts';
import type { RunnerMessage } from '@bullpen/contracts';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

import { RunnerLink } from './link.js';
import type { Told } from './link.js';
import { Spool } from './spool.js';

const KEY = 'k'.repeat(64);
const claims = { sandboxId: '00abc-1', sessionId: '00abc', generation: 1, expiresAt: 2 ** 42 };
const token = signSandboxToken(claims, KEY);
const secret = token.split('.')[2] ?? token;
const WAIT_MS = 10_000;

type Hello = Extract<RunnerMessage, { kind: 'hello' }>;
/** What a listener answers to each message it gets. */
type Listener = (text: string, socket: WebSocket) => void;

/** The real orchestrator's greeting. */
function orchestrator(linkUrl: string, tokenKey = KEY): Listener {
  let handshake: OrchestratorHandshake | null = null;
  return (text, socket) => {
    const message = runnerMessageSchema.parse(JSON.parse(text));
    if (message.kind === 'hello') {
      handshake = new OrchestratorHandshake(message, { tokenKey, linkUrl });
      socket.send(JSON.stringify({ kind: 'challenge', ...handshake.challenge }));
    }
    if (message.kind === 'proof') {
      handshake?.verify(message.proof, Date.now());
      socket.send(JSON.stringify({ kind: 'welcome', appendedThrough: 0 }));
    }
  };
}

/** Somebody else's program on the same port. */
const IMPOSTORS: Record<string, (url: string) => Listener> = {
  'welcomes at once': () => (_text, socket) => socket.send(JSON.stringify({ kind: 'welcome', appendedThrough: 0 })),
  'refuses the runner': () => (_text, socket) => socket.send(JSON.stringify({ kind: 'refused', reason: { code: 'x', message: 'x' } })),
  'stops the runner': () => (_text, socket) => socket.send(JSON.stringify({ kind: 'stop', reason: { code: 'x', message: 'x' } })),
  'knows no key': (url) => orchestrator(url, 'another key'),
  'repeats an earlier challenge': (url) => {
    const earlier = new OrchestratorHandshake(new RunnerHandshake(token, url).hello, { tokenKey: KEY, linkUrl: url });
    return (_text, socket) => socket.send(JSON.stringify({ kind: 'challenge', ...earlier.challenge }));
  },
  'passes on what a replica at another address says': () => orchestrator('ws://127.0.0.1:1/runner'),
  'says too much': (url) => (text, socket) => {
    const challenge = new OrchestratorHandshake(JSON.parse(text) as Hello, { tokenKey: KEY, linkUrl: url }).challenge;
    socket.send(`${JSON.stringify({ kind: 'challenge', ...challenge })}${' '.repeat(MAX_GREETING_BYTES)}`);
  },
  'sends bytes': () => (_text, socket) => socket.send(Buffer.alloc(100)),
};

describe('RunnerLink', () => {
  let folder: string;
  let server: WebSocketServer | null;
  let links: RunnerLink[];
  let received: string[];
  let told: Told[];
  let errors: string[];
  let lost: number;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'runner-link-'));
    server = null;
    links = [];
    received = [];
    told = [];
    errors = [];
    lost = 0;
  });
  afterEach(async () => {
    for (const link of links) link.close();
    await close();
    await rm(folder, { recursive: true, force: true });
  });

  async function listen(listenerOf: (url: string) => Listener, port = 0): Promise<{ url: string; port: number }> {
    const opened = new WebSocketServer({ host: '127.0.0.1', port });
    server = opened;
    await once(opened, 'listening');
    const at = (opened.address() as AddressInfo).port;
    const url = `ws://127.0.0.1:${at}/runner`;
    opened.on('connection', (socket) => {
      const listener = listenerOf(url);
      socket.on('message', (data) => {
        received.push(String(data));
        listener(String(data), socket);
      });
    });
    return { url, port: at };
  }

  async function close(): Promise<void> {
    const closing = server;
    server = null;
    for (const client of closing?.clients ?? []) client.terminate();
    if (closing) await new Promise((resolve) => closing.close(resolve));
  }

  async function connect(linkUrl: string, reconnectMs = WAIT_MS): Promise<void> {
    const spool = await Spool.open(join(folder, 'spool'));
    const link = new RunnerLink({
      spec: { linkUrl, token },
      spool,
      log: { info: () => undefined, during: () => undefined, error: (message, fields) => errors.push(`${message} ${String(fields?.['code'])}`) },
      heartbeat: () => ({ stage: 'ready', since: new Date().toISOString(), turn: null }),
      onMessage: (message) => told.push(message),
      onLost: () => (lost += 1),
      onAcknowledged: () => undefined,
      reconnectMs,
    });
    links.push(link);
    link.connect();
  }

  const kinds = (): string[] => received.map((text) => (JSON.parse(text) as { kind: string }).kind);

  it.each(Object.entries(IMPOSTORS))('tells nothing to one that %s, believes nothing of it, and finds the real one', async (_name, impostor) => {
    const { url, port } = await listen(impostor);
    await connect(url);
    await until(() => errors.length >= 2);
    expect(new Set(kinds())).toEqual(new Set(['hello']));
    expect(received.join()).not.toContain(secret);
    expect([told, lost]).toEqual([[], 0]);
    expect(errors[0]).toContain('link.impostor');
    await close();
    await listen(orchestrator, port);
    await until(() => kinds().includes('heartbeat'));
    expect(received.join()).not.toContain(secret);
  });

  it('makes a new greeting for each connection', async () => {
    const { url } = await listen(() => (_text, socket) => socket.close());
    await connect(url);
    await until(() => received.length >= 3);
    expect(new Set(received.map((text) => (JSON.parse(text) as Hello).nonce)).size).toBe(received.length);
  });

  it('gives up when for long nobody is there but strangers', async () => {
    const { url } = await listen(IMPOSTORS['knows no key'] ?? orchestrator);
    await connect(url, 700);
    await until(() => lost === 1);
    expect(errors.length).toBeGreaterThan(0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + WAIT_MS; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
