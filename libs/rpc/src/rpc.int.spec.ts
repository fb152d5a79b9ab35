import 'reflect-metadata';

import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { SandboxOrchestratorService } from '@bullpen/contracts';
import { Bug, Fault, Rejection } from '@bullpen/errors';
import { silentLogger } from '@bullpen/telemetry';
import type { LogFields, Logger } from '@bullpen/telemetry';
import { freePort, startTcpProxy } from '@bullpen/testing';

import { createRpcClient, startRpcServer } from './index.js';
import type { RpcServer } from './index.js';

const KEY = 'a-key-of-this-test';
const SECRET = 'the inside of the server';

/** What reached the server: a refusal that repeats is logged once, so the log does not tell. */
const asked: string[] = [];

@Controller()
class ProbeController {
  @GrpcMethod('SandboxOrchestratorService', 'ProbeRepository')
  async probe({ source }: { source: string }): Promise<object> {
    asked.push(source);
    switch (source) {
      case 'missing':
        throw new Rejection('repository.not-found', 'No repository at “missing”.', { source, tried: 1 });
      case 'down':
        throw new Fault('git.unavailable', 'The host does not answer.', { retryAfterMs: 4_200, details: { source } });
      case 'bug':
        throw new Bug(SECRET);
      case 'unknown':
        throw new TypeError(SECRET);
      case 'huge':
        throw new Rejection('repository.not-readable', 'Cannot read.', { text: 'x'.repeat(100_000) });
      case 'large':
        return { canonicalSource: 'x'.repeat(6_000_000) };
      case 'slow':
        await new Promise((resolve) => setTimeout(resolve, 400));
        return { canonicalSource: source };
      default:
        return { canonicalSource: source, name: 'sample', defaultBranch: 'main' };
    }
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

describe('rpc', () => {
  const logged: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (message, fields) => logged.push({ level: 'warn', message, fields }),
    error: (message, fields) => logged.push({ level: 'error', message, fields }),
  };
  let port: number;
  let server: RpcServer;
  const start = (): Promise<RpcServer> =>
    startRpcServer({ module: ProbeModule, package: 'bullpen.orchestrator.v1', port, key: KEY, logger });
  const client = (key = KEY, timeoutMs = 2_000) =>
    createRpcClient(SandboxOrchestratorService, { url: `http://127.0.0.1:${port}`, key, timeoutMs });
  const thrown = (source: string): Promise<unknown> => client().probeRepository({ source }).then(() => null, (error: unknown) => error);

  beforeAll(async () => {
    port = await freePort();
    server = await start();
  });
  afterAll(() => server.close());

  it('carries a call and its answer, typed on both sides', async () => {
    const answer = await client().probeRepository({ source: '/srv/repo', branch: 'main' });
    expect(answer.canonicalSource).toBe('/srv/repo');
    expect(answer.defaultBranch).toBe('main');
  });

  it('carries answers of several megabytes: a long session is one', async () => {
    expect((await client().probeRepository({ source: 'large' })).canonicalSource).toHaveLength(6_000_000);
  });

  it('carries a rejection with code, text and details', async () => {
    const error = await thrown('missing');
    expect(error).toBeInstanceOf(Rejection);
    expect(error).toMatchObject({
      code: 'repository.not-found',
      message: 'No repository at “missing”.',
      details: { source: 'missing', tried: 1 },
    });
  });

  it('drops the details of a rejection that would not fit into the metadata', async () => {
    expect(await thrown('huge')).toMatchObject({ name: 'Rejection', code: 'repository.not-readable', details: {} });
  });

  it('carries a fault with the time after which to try again', async () => {
    const error = await thrown('down');
    expect(error).toBeInstanceOf(Fault);
    expect(error).toMatchObject({ code: 'git.unavailable', retryAfterMs: 4_200, details: { source: 'down' } });
  });

  it.each(['bug', 'unknown'])('keeps the inside of a %s to itself and logs it once', async (source) => {
    logged.length = 0;
    const error = await thrown(source);
    expect(error).toBeInstanceOf(Bug);
    expect(JSON.stringify([String(error), String((error as Error).cause)])).not.toContain(SECRET);
    expect(logged.map(({ level, fields }) => [level, (fields?.['error'] as Error | undefined)?.message])).toEqual([['error', SECRET]]);
  });

  it('refuses a call without the right key', async () => {
    await expect(client('wrong').probeRepository({ source: 'x' })).rejects.toMatchObject({
      name: 'Rejection',
      code: 'rpc.unauthenticated',
    });
    await expect(client('').probeRepository({ source: 'x' })).rejects.toMatchObject({ code: 'rpc.unauthenticated' });
  });

  it('ends a call at its deadline as a fault', async () => {
    await expect(client(KEY, 100).probeRepository({ source: 'slow' })).rejects.toMatchObject({
      name: 'Fault',
      code: 'orchestrator.unavailable',
    });
    await expect(client(KEY, 100).probeRepository({ source: 'slow' }, { timeoutMs: 2_000 })).resolves.toMatchObject({
      canonicalSource: 'slow',
    });
  });

  it('does not begin what was given up while the server stood still', async () => {
    const proxy = await startTcpProxy({ port });
    const calls = createRpcClient(SandboxOrchestratorService, { url: `http://127.0.0.1:${proxy.port}`, key: KEY, timeoutMs: 2_000 });
    await calls.probeRepository({ source: 'before' });
    proxy.stall();
    await expect(calls.probeRepository({ source: 'given up' }, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'orchestrator.unavailable' });
    // Until what it sent about that is on its way too.
    await delay(100);
    proxy.heal();
    await calls.probeRepository({ source: 'after' });
    expect(asked.slice(asked.indexOf('before'))).toEqual(['before', 'after']);
    await proxy.stop();
  });

  it('says that the port is taken', async () => {
    await expect(start()).rejects.toMatchObject({ name: 'Fault', code: 'rpc.not-listening' });
  });

  it('is a fault while the server is away, and works again with the same client after it is back', async () => {
    const survivor = client();
    await survivor.probeRepository({ source: 'x' });
    await server.close();
    await expect(survivor.probeRepository({ source: 'x' })).rejects.toMatchObject({ name: 'Fault', code: 'orchestrator.unavailable' });
    server = await start();
    await expect(survivor.probeRepository({ source: 'x' })).resolves.toMatchObject({ name: 'sample' });
  });

  describe('with several replicas', () => {
    const listed = (urls: readonly (number | string)[], timeoutMs = 10_000) =>
      createRpcClient(SandboxOrchestratorService, { url: urls.map((at) => `http://127.0.0.1:${at}`).join(','), key: KEY, timeoutMs });

    it('asks the next one when one is away, and none again for an answer that is a no', async () => {
      const calls = listed([await freePort(), port]);
      for (let n = 0; n < 4; n += 1) await expect(calls.probeRepository({ source: 'x' })).resolves.toMatchObject({ name: 'sample' });
      asked.length = 0;
      const twice = listed([port, port]);
      await expect(twice.probeRepository({ source: 'down' })).rejects.toMatchObject({ name: 'Fault', code: 'git.unavailable' });
      expect(asked).toEqual(['down']);
    });

    it('asks the next one when one takes calls and stands still, and soon asks that one last', async () => {
      const sockets = new Set<Socket>();
      const still = createServer((socket) => void sockets.add(socket.on('error', () => undefined)));
      await new Promise<void>((resolve) => still.listen(0, '127.0.0.1', resolve));
      const calls = listed([(still.address() as AddressInfo).port, port]);
      const began = Date.now();
      await expect(calls.probeRepository({ source: 'x' })).resolves.toMatchObject({ name: 'sample' });
      expect(Date.now() - began).toBeLessThan(8_000);
      const again = Date.now();
      for (let n = 0; n < 3; n += 1) await calls.probeRepository({ source: 'x' });
      expect(Date.now() - again).toBeLessThan(1_500);
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => still.close(resolve));
    }, 20_000);

    it('is a fault when none answers', async () => {
      const calls = listed([await freePort(), await freePort()]);
      await expect(calls.probeRepository({ source: 'x' })).rejects.toMatchObject({ name: 'Fault', code: 'orchestrator.unavailable' });
    });
  });
});
