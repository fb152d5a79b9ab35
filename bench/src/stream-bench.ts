import { fork } from 'node:child_process';
import { join } from 'node:path';

import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { io } from 'socket.io-client';
import type { Socket } from 'socket.io-client';

import type { SessionEvent } from '@bullpen/contracts';

import { BARE_STREAM_NAME } from './bare-names.js';
import { startBenchPlatform } from './bench-platform.js';
import type { BenchPlatform } from './bench-platform.js';
import type { Load } from './load-runner.js';
import { LOAD_TIMEOUT_MS, collect, throughPlatform } from './load-runs.js';
import type { LoadResult } from './load-runs.js';
import { median, percentile } from './statistics.js';
import type { Row } from './statistics.js';

const EVENT_BYTES = 200;
const LATENCY_RUNS = 3;
const THROUGHPUT_EVENTS = 20_000;
const READ_EVENTS = 5_000;
const PAGE = 1_000;
/** The session service looks every five seconds which snapshots are due. */
const SNAPSHOT_KEPT_MS = 8_000;

/** Runner → link → log → tail → Socket.IO → client, beside JetStream → ordered consumer → Socket.IO → client. */
export async function benchStreams(): Promise<readonly Row[]> {
  const runner = join(import.meta.dirname, 'load-runner.js');
  const platform = await startBenchPlatform({ BULLPEN_RUNNER: runner, BULLPEN_ISOLATION: 'none' });
  const bare = await startBare(platform);
  try {
    const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample' });
    const rows: Row[] = [];
    for (const perSecond of [100, 1_000]) rows.push(...(await latencyRows({ platform, bare, id }, perSecond)));
    rows.push(await throughputRow({ platform, bare }));
    rows.push(...(await readRows(platform)));
    return rows;
  } finally {
    bare.stop();
    await platform.stop();
  }
}

interface Paths {
  readonly platform: BenchPlatform;
  readonly bare: BarePath;
  readonly id: string;
}

async function latencyRows({ platform, bare, id }: Paths, perSecond: number): Promise<Row[]> {
  const load: Load = { events: perSecond * 3, perSecond, bytes: EVENT_BYTES };
  const [ours, theirs]: [LoadResult[], LoadResult[]] = [[], []];
  for (let run = 0; run < LATENCY_RUNS; run += 1) {
    ours.push(await throughPlatform(platform, id, load));
    theirs.push(await bare.run(load));
  }
  const row = (percent: number): Row => ({
    what: `event → client at ${perSecond.toLocaleString('en')}/s, p${percent}`,
    unit: 'ms',
    bullpen: median(ours.map(({ latencies }) => percentile(latencies, percent))),
    bare: median(theirs.map(({ latencies }) => percentile(latencies, percent))),
    bareIs: 'NATS → Socket.IO',
  });
  return [row(50), row(99)];
}

/** A session a run: what one runner may send at once is bounded. */
async function throughputRow({ platform, bare }: Omit<Paths, 'id'>): Promise<Row> {
  const load: Load = { events: THROUGHPUT_EVENTS, perSecond: 0, bytes: EVENT_BYTES };
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let run = 0; run < LATENCY_RUNS; run += 1) {
    const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample' });
    ours.push((await throughPlatform(platform, id, load)).perSecond);
    theirs.push((await bare.run(load)).perSecond);
  }
  return { what: 'runner → log → client', unit: 'events/s', bullpen: median(ours), bare: median(theirs), bareIs: 'NATS → Socket.IO' };
}

/** Reading a session of 5,000 events: by pages, and as a snapshot; beside reading as many messages with a bare consumer. */
async function readRows(platform: BenchPlatform): Promise<Row[]> {
  const { id } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample' });
  await throughPlatform(platform, id, { events: READ_EVENTS, perSecond: 0, bytes: EVENT_BYTES });
  const [pages, snapshots, bare]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < LATENCY_RUNS; run += 1) {
    pages.push(await timed(() => readPages(platform, id)));
    snapshots.push(await timed(() => readSnapshot(platform, id)));
    bare.push(await timed(() => readBare(platform)));
  }
  const [colds, lasts]: [number[], number[]] = [[], []];
  await new Promise((resolve) => setTimeout(resolve, SNAPSHOT_KEPT_MS));
  for (let run = 0; run < LATENCY_RUNS; run += 1) {
    await platform.restart();
    await platform.api('GET', '/sessions');
    let head = '';
    colds.push(await timed(async () => void ({ head } = await platform.api<{ head: string }>('GET', `/sessions/${id}`))));
    lasts.push(await timed(() => platform.api('GET', `/sessions/${id}/events?before=${head}&limit=100`)));
  }
  const row = (what: string, values: number[]): Row => ({ what, unit: 'ms', bullpen: median(values), bare: median(bare), bareIs: `ordered consumer, ${READ_EVENTS} messages` });
  return [
    row(`read ${READ_EVENTS.toLocaleString('en')} events by REST`, pages),
    row(`snapshot of ${READ_EVENTS.toLocaleString('en')} events`, snapshots),
    row(`first GET of a session of ${READ_EVENTS.toLocaleString('en')} events after a restart`, colds),
    row(`its last 100 events by REST`, lasts),
  ];
}

async function readPages(platform: BenchPlatform, id: string): Promise<void> {
  let after = '0';
  for (let count = 0; ; ) {
    const page = await platform.api<{ events: SessionEvent[]; more: boolean }>('GET', `/sessions/${id}/events?after=${after}&limit=${PAGE}`);
    count += page.events.length;
    after = page.events.at(-1)?.id ?? after;
    if (!page.more && count < READ_EVENTS) throw new Error(`${count} events instead of ${READ_EVENTS}`);
    if (!page.more) return;
  }
}

async function readSnapshot(platform: BenchPlatform, id: string): Promise<void> {
  const snapshot: { taken: () => void; failed: (error: Error) => void } = { taken: () => undefined, failed: () => undefined };
  const done = new Promise<void>((resolve, reject) => Object.assign(snapshot, { taken: resolve, failed: reject }));
  const socket = await platform.follow(id, () => undefined, { models: ['session.v1'] });
  socket.once('session.snapshot', () => snapshot.taken());
  const timer = setTimeout(() => snapshot.failed(new Error('no snapshot came')), LOAD_TIMEOUT_MS);
  await done;
  clearTimeout(timer);
  socket.disconnect();
}

async function readBare(platform: BenchPlatform): Promise<void> {
  const connection = await connect({ servers: platform.nats.url, user: 'admin', pass: platform.nats.passwords.admin, inboxPrefix: '_INBOX_admin' });
  const consumer = await jetstream(connection).consumers.get(BARE_STREAM_NAME);
  let count = 0;
  for await (const message of await consumer.consume({ max_messages: 500 })) {
    message.json();
    if ((count += 1) >= READ_EVENTS) break;
  }
  await connection.close();
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await action();
  return performance.now() - begun;
}

interface BarePath {
  run(load: Load): Promise<LoadResult>;
  stop(): void;
}

async function startBare({ nats }: BenchPlatform): Promise<BarePath> {
  const child = fork(join(import.meta.dirname, 'bare-server.js'), [nats.url, 'admin', nats.passwords.admin]);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message: { port: number }) => resolve(message.port));
    child.once('exit', (code) => reject(new Error(`the bare server ended with ${code}`)));
  });
  const socket: Socket = io(`http://127.0.0.1:${port}`, { transports: ['websocket'], forceNew: true });
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return {
    run: async (load) => {
      const collector = collect(load.events);
      socket.on('event', (event: { text: string }) => collector.take([event.text]));
      child.send({ kind: 'publish', ...load });
      const result = await collector.done;
      socket.off('event');
      return result;
    },
    stop: () => {
      socket.disconnect();
      child.disconnect();
    },
  };
}
