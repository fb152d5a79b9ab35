import { FolderObjectStore, connectEventLog, connectLeases } from '@bullpen/event-log';
import { startHealthServer, startRpcServer } from '@bullpen/rpc';
import { createLocalDriver } from '@bullpen/sandbox-driver-local';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import type { SourceRules } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import type { ModelAccess } from './adapters/driver/sandbox-spec.js';
import type { OrchestratorConfig } from './config.js';
import { SandboxOrchestrator } from './orchestrator.js';
import type { DrainOptions } from './orchestrator.js';
import { createOrchestratorModule } from './orchestrator.module.js';

export interface OrchestratorService {
  /**
   * Before an orderly shutdown of the platform, while the session service still runs: ends every sandbox and records which turn ended
   * with it. False when some were left after the time.
   */
  drain(options: DrainOptions): Promise<boolean>;
  /** Leaves the sandboxes running for the next process. */
  close(): Promise<void>;
}

/** Serves once the log is folded and runners can connect. @throws Fault when the log, the driver or a port is not there */
export async function startOrchestrator(config: OrchestratorConfig, logger: Logger): Promise<OrchestratorService> {
  const driver = localDriver(config, logger);
  const { NATS_URL: url, ORCHESTRATOR_NATS_PASSWORD: password } = config;
  const credentials = { url, user: 'orchestrator', password, logger } as const;
  const log = await connectEventLog(credentials);
  const opened: { close(): Promise<void> }[] = [log];
  const close = async (): Promise<void> => {
    for (const part of opened.splice(0).reverse()) await part.close();
  };
  try {
    const leases = await connectLeases(credentials);
    opened.push(leases);
    const orchestrator = await SandboxOrchestrator.start({
      log,
      objects: new FolderObjectStore(config.BULLPEN_OBJECTS),
      driver,
      model: modelAccess(config),
      tokenKey: config.BULLPEN_SANDBOX_KEY,
      linkPort: config.ORCHESTRATOR_LINK_PORT,
      linkUrl: config.ORCHESTRATOR_LINK_URL ?? null,
      linkUrls: config.ORCHESTRATOR_LINK_URLS,
      leases,
      mirrorsFolder: config.BULLPEN_MIRRORS,
      sampleRepository: config.BULLPEN_SAMPLE_REPOSITORY ?? null,
      sourceRules: sourceRules(config),
      logger,
    });
    opened.push(orchestrator);
    const drain = (options: DrainOptions): Promise<boolean> => orchestrator.drain(options);
    opened.push(await serve(config, { driver, drain, logger }));
    const port = config.ORCHESTRATOR_HEALTH_PORT;
    if (port !== undefined) opened.push(await startHealthServer({ port, checks: [{ name: 'log', passes: () => log.lastSequence() }] }));
    return { drain, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Served {
  readonly driver: SandboxDriver;
  readonly drain: OrchestratorService['drain'];
  readonly logger: Logger;
}

function serve(config: OrchestratorConfig, { driver, drain, logger }: Served): Promise<{ close(): Promise<void> }> {
  return startRpcServer({
    module: createOrchestratorModule({ driver, rules: sourceRules(config), drain }),
    package: 'bullpen.orchestrator.v1',
    port: config.ORCHESTRATOR_GRPC_PORT,
    key: config.BULLPEN_RPC_KEY,
    logger,
  });
}

function sourceRules(config: OrchestratorConfig): SourceRules {
  return { localPaths: config.BULLPEN_LOCAL_PATHS, privateHosts: config.BULLPEN_PRIVATE_HOSTS };
}

function localDriver(config: OrchestratorConfig, logger: Logger): SandboxDriver {
  return createLocalDriver({
    folder: config.BULLPEN_SANDBOXES,
    runnerFile: config.BULLPEN_RUNNER,
    nodeBinary: config.BULLPEN_NODE,
    agentsFolder: config.BULLPEN_AGENTS,
    isolation: config.BULLPEN_ISOLATION,
    logger,
  });
}

function modelAccess(config: OrchestratorConfig): ModelAccess {
  const provider = config.BULLPEN_MODEL_PROVIDER;
  const apiKey = provider === 'anthropic' ? (config.ANTHROPIC_API_KEY ?? null) : null;
  return { provider, baseUrl: config.BULLPEN_MODEL_BASE_URL ?? null, apiKey };
}
