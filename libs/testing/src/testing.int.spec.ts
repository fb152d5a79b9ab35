import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';

import { startTcpProxy, startTestPostgres } from './index.js';

const echo = createServer((socket) => void socket.on('error', () => undefined).pipe(socket));

beforeAll(() => new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise<void>((resolve) => void echo.close(() => resolve())));

function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function answer(socket: Socket, text: string, withinMs: number): Promise<string> {
  return new Promise((resolve) => {
    const finish = (got: string): void => {
      clearTimeout(timer);
      resolve(got);
    };
    const timer = setTimeout(() => finish('silence'), withinMs);
    socket.once('data', (bytes) => finish(bytes.toString()));
    socket.once('close', () => finish('closed'));
    socket.write(text);
  });
}

describe('startTcpProxy', () => {
  it('passes, mutes, cuts and heals', async () => {
    const proxy = await startTcpProxy({ port: (echo.address() as AddressInfo).port });
    const first = await dial(proxy.port);
    expect(await answer(first, 'a', 2_000)).toBe('a');
    proxy.mute();
    expect(await answer(first, 'b', 100)).toBe('silence');
    proxy.cut();
    expect(await answer(first, 'c', 2_000)).toBe('closed');
    const refused = await dial(proxy.port);
    expect(await answer(refused, 'd', 2_000)).toBe('closed');
    proxy.heal();
    const second = await dial(proxy.port);
    expect(await answer(second, 'e', 2_000)).toBe('e');
    proxy.stall();
    expect(await answer(second, 'f', 100)).toBe('silence');
    const late = await dial(proxy.port);
    expect(await answer(late, 'g', 100)).toBe('silence');
    const held = [second, late].map((socket) => new Promise((resolve) => void socket.once('data', (bytes) => resolve(String(bytes)))));
    proxy.heal();
    expect(await Promise.all(held)).toEqual(['f', 'g']);
    late.destroy();
    await proxy.stop();
    first.destroy();
    second.destroy();
  });
});

describe('startTestPostgres', () => {
  it('gives an empty server and takes it away again', async () => {
    const postgres = await startTestPostgres();
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const tables = await client.query("select count(*)::int as n from pg_tables where schemaname = 'public'");
    expect(tables.rows).toEqual([{ n: 0 }]);
    await client.end();
    await postgres.stop();
    await expect(new pg.Client({ connectionString: postgres.url }).connect()).rejects.toThrow();
  });
});
