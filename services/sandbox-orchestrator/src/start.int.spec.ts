import { randomBytes } from 'node:crypto';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { SandboxOrchestratorService } from '@bullpen/contracts';
import { createRpcClient } from '@bullpen/rpc';
import { git } from '@bullpen/scm';
import { silentLogger } from '@bullpen/telemetry';
import { freePort, startTestNats, temporaryFolder } from '@bullpen/testing';
import type { TemporaryFolder, TestNats } from '@bullpen/testing';

import { loadOrchestratorConfig, startOrchestrator } from './index.js';
import type { OrchestratorService } from './index.js';

describe('startOrchestrator', () => {
  const key = randomBytes(16).toString('hex');
  let nats: TestNats;
  let folder: TemporaryFolder;
  let service: OrchestratorService;
  let environment: Record<string, string>;

  const client = (rpcKey = key) =>
    createRpcClient(SandboxOrchestratorService, {
      url: `http://127.0.0.1:${environment['ORCHESTRATOR_GRPC_PORT'] ?? ''}`,
      key: rpcKey,
      timeoutMs: 12_000,
    });

  beforeAll(async () => {
    nats = await startTestNats();
    folder = await temporaryFolder('orchestrator-start');
    environment = {
      NATS_URL: nats.url,
      ORCHESTRATOR_NATS_PASSWORD: nats.passwords.orchestrator,
      BULLPEN_RPC_KEY: key,
      ORCHESTRATOR_GRPC_PORT: String(await freePort()),
      ORCHESTRATOR_LINK_PORT: String(await freePort()),
      ORCHESTRATOR_HEALTH_PORT: String(await freePort()),
      BULLPEN_OBJECTS: join(folder.path, 'objects'),
      BULLPEN_SANDBOXES: join(folder.path, 'sandboxes'),
      BULLPEN_MIRRORS: join(folder.path, 'mirrors'),
      BULLPEN_SANDBOX_KEY: randomBytes(32).toString('hex'),
      BULLPEN_MODEL_PROVIDER: 'scripted',
      BULLPEN_RUNNER: join(folder.path, 'runner.mjs'),
      BULLPEN_NODE: process.execPath,
      BULLPEN_AGENTS: folder.path,
      BULLPEN_LOCAL_PATHS: '1',
      BULLPEN_ISOLATION: 'none',
    };
    service = await startOrchestrator(loadOrchestratorConfig(environment), silentLogger);
  });

  afterAll(async () => {
    await service?.close();
    await nats?.stop();
    await folder?.remove();
  });

  it('says how sandboxes run here, and warns when they are not isolated', async () => {
    const capabilities = await client().getCapabilities({});
    expect(capabilities).toMatchObject({ driver: 'local', isolation: 'none' });
    expect(capabilities.warning).toMatch(/not isolated.*BULLPEN_ISOLATION=none.*Unset it/);
  });

  it('probes a repository, and names what is wrong with one', async () => {
    const source = join(folder.path, 'repository');
    await git(['init', '--quiet', '-b', 'trunk', source]);
    const identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org'];
    await git(['-C', source, ...identity, 'commit', '--quiet', '--allow-empty', '-m', 'first']);
    const found = await client().probeRepository({ source, branch: '' });
    expect(found).toMatchObject({ canonicalSource: source, branch: 'trunk', defaultBranch: 'trunk' });
    await expect(client().probeRepository({ source, branch: 'nope' })).rejects.toMatchObject({ code: 'repository.branch-missing' });
    await expect(client().probeRepository({ source: '/nowhere', branch: '' })).rejects.toMatchObject({ code: 'repository.not-found' });
  });

  it('is ready while the log answers', async () => {
    const response = await fetch(`http://127.0.0.1:${environment['ORCHESTRATOR_HEALTH_PORT'] ?? ''}/readyz`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ready', checks: { log: true } }]);
  });

  it('drains on request, also when nothing runs, and again', async () => {
    expect(await client().drain({ timeoutMs: 2_000 })).toMatchObject({ drained: true });
    expect(await client().drain({ timeoutMs: 2_000 })).toMatchObject({ drained: true });
  });

  it('answers nobody without the key', async () => {
    await expect(client('wrong').getCapabilities({})).rejects.toThrow();
  });

  it('leaves nothing behind when a port is taken', async () => {
    const other = { ...environment, ORCHESTRATOR_GRPC_PORT: String(await freePort()) };
    await expect(startOrchestrator(loadOrchestratorConfig(other), silentLogger)).rejects.toMatchObject({ code: 'link.not-listening' });
  });

  it('names each variable that is missing or wrong', () => {
    const { BULLPEN_SANDBOX_KEY: _left, NATS_URL: _out, ...rest } = environment;
    expect(() => loadOrchestratorConfig(rest)).toThrow(/NATS_URL.*BULLPEN_SANDBOX_KEY|BULLPEN_SANDBOX_KEY.*NATS_URL/);
    expect(() => loadOrchestratorConfig({ ...environment, BULLPEN_LOG_LEVEL: 'loud' })).toThrow(/BULLPEN_LOG_LEVEL must be/);
  });

  it('is one of the replicas that runners are told of, by the very address', () => {
    const own = `ws://127.0.0.1:${environment['ORCHESTRATOR_LINK_PORT'] ?? ''}`;
    const load = (urls: string, url = '') => () => loadOrchestratorConfig({ ...environment, ORCHESTRATOR_LINK_URLS: urls, ORCHESTRATOR_LINK_URL: url });
    expect(load(`ws://127.0.0.1:1,${own}`)).not.toThrow();
    expect(load('ws://a:1,ws://b:2', 'ws://b:2')).not.toThrow();
    expect(load('ws://127.0.0.1:1')).toThrow(/^Cannot start: ORCHESTRATOR_LINK_URLS must name this replica too/);
    expect(load(own, 'ws://b:2')).toThrow(/ORCHESTRATOR_LINK_URLS/);
  });
});
