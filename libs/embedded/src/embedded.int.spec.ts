import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { freePort } from '@bullpen/testing';

import { isRunning, postgresUrl, prepareNats, preparePostgres, waitForNats, waitForPostgres } from './index.js';
import type { ProcessSpec } from './index.js';

const password = '0123456789abcdef-ABC';
const passwords = { session: password, orchestrator: password, gateway: password, admin: password };

let folder: string;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  folder = await mkdtemp(join(tmpdir(), 'bullpen-embedded-'));
  // As in a clone below a private folder: only its owner passes.
  await chmod(folder, 0o700);
});

afterEach(async () => {
  await Promise.all(children.map((child) => end(child, 'SIGKILL')));
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

function start({ command, args, env }: ProcessSpec): ChildProcess {
  const child = spawn(command, [...args], { env: { PATH: process.env['PATH'], ...env }, stdio: 'ignore' });
  children.push(child);
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return gone;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

describe('Postgres', () => {
  it('starts, keeps its data over kill -9, and refuses a second server and a wrong password', async () => {
    const settings = { port: await freePort(), password };
    const options = { dataDir: join(folder, 'postgres'), ...settings };
    const url = postgresUrl(settings);
    const first = start(await preparePostgres(options));
    await waitForPostgres({ url });
    expect(await query(url, 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);
    await query(url, 'create table t as select 42 as answer');
    await expect(preparePostgres(options)).rejects.toMatchObject({ code: 'postgres.running' });
    await expect(query(postgresUrl({ ...settings, password: 'wrong' }), 'select 1')).rejects.toThrow(/password/);

    await end(first, 'SIGKILL');
    const second = start(await preparePostgres(options));
    await waitForPostgres({ url });
    expect(await query(url, 'select answer from t')).toEqual([{ answer: 42 }]);
    expect(await end(second, 'SIGINT')).toBe(0);
    expect(await readdir(folder)).toEqual(['postgres']);
    expect((await stat(options.dataDir)).mode & 0o777).toBe(0o700);
  });

  it('begins anew when a first start was cut off in the middle', async () => {
    const dataDir = join(folder, 'postgres');
    await mkdir(`${dataDir}.new`);
    await writeFile(join(`${dataDir}.new`, 'half'), 'x');
    await preparePostgres({ dataDir, port: 1, password });
    expect(await readdir(folder)).toEqual(['postgres']);
  });

  it('is not ready within a bound when nothing answers', async () => {
    const url = postgresUrl({ port: await freePort(), password });
    await expect(waitForPostgres({ url, timeoutMs: 200 })).rejects.toMatchObject({ code: 'postgres.not-ready' });
  });
});

describe('NATS', () => {
  const options = async () => ({
    storeDir: join(folder, 'nats'),
    configFile: join(folder, 'nats.conf'),
    port: await freePort(),
    passwords,
  });

  it('starts with a configuration that only its owner reads, and refuses a second server', async () => {
    const settings = await options();
    await writeFile(settings.configFile, 'old', { mode: 0o644 });
    // Whoever only looks at the file is no server.
    start({ command: 'tail', args: ['-f', settings.configFile], env: {} });
    const child = start(await prepareNats(settings));
    await waitForNats(settings);
    expect((await stat(settings.configFile)).mode & 0o777).toBe(0o600);
    expect((await stat(settings.storeDir)).mode & 0o777).toBe(0o700);
    expect(isRunning(child.pid ?? 0)).toBe(true);
    await expect(prepareNats(settings)).rejects.toMatchObject({ code: 'nats.running', details: { pid: child.pid } });
    await end(child, 'SIGTERM');
    expect(isRunning(child.pid ?? 0)).toBe(false);
  });

  it('refuses a server that is too old, as a program and on the wire', async () => {
    const binary = join(folder, 'old-nats');
    await writeFile(binary, '#!/bin/sh\necho "nats-server: v2.9.10"\n', { mode: 0o755 });
    await expect(prepareNats({ ...(await options()), binary })).rejects.toMatchObject({
      code: 'nats.version',
      details: { found: 'nats-server: v2.9.10' },
    });
    const old = createServer((socket) =>
      socket.on('error', () => undefined).write('INFO {"server_id":"x","version":"2.9.10"}\r\n'),
    );
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
    const { port } = old.address() as AddressInfo;
    await expect(waitForNats({ port })).rejects.toMatchObject({ code: 'nats.version', details: { found: '2.9.10' } });
    await new Promise<void>((resolve) => old.close(() => resolve()));
  });

  it('says which program cannot be run, and is not ready within a bound', async () => {
    const settings = await options();
    await expect(prepareNats({ ...settings, binary: join(folder, 'absent') })).rejects.toMatchObject({ code: 'embedded.failed' });
    await expect(waitForNats({ port: settings.port, timeoutMs: 200 })).rejects.toMatchObject({ code: 'nats.not-ready' });
  });
});
