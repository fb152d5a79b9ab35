import { z } from 'zod';

import { booleanVariable, isolationVariable, loadConfig, logLevelVariable, portVariable } from '@bullpen/config';
import { MAX_LINK_URLS, MODEL_PROVIDERS } from '@bullpen/contracts';

const list = z.string().transform((value) => value.split(',').map((item) => item.trim()).filter((item) => item !== ''));

const schema = z.object({
  NATS_URL: z.string().min(1),
  ORCHESTRATOR_NATS_PASSWORD: z.string().min(1),
  BULLPEN_RPC_KEY: z.string().min(1),
  ORCHESTRATOR_GRPC_PORT: portVariable,
  /** Stays the same over restarts: sandboxes that outlive the process dial it again. */
  ORCHESTRATOR_LINK_PORT: portVariable,
  /** Absent: no health endpoint, as where another service of the same process has one. */
  ORCHESTRATOR_HEALTH_PORT: portVariable.optional(),
  /** Where sandboxes reach that port, when not on loopback: a service's address, or a proxy's. */
  ORCHESTRATOR_LINK_URL: z.url({ protocol: /^wss?$/ }).optional(),
  /** The same of every replica, where there are several: ws://host:port,… */
  ORCHESTRATOR_LINK_URLS: list.pipe(z.array(z.url()).max(MAX_LINK_URLS)).default([]),
  BULLPEN_OBJECTS: z.string().startsWith('/'),
  BULLPEN_SANDBOXES: z.string().startsWith('/'),
  BULLPEN_MIRRORS: z.string().startsWith('/'),
  /** The platform's own repository: a deleted session's branch goes from it too. */
  BULLPEN_SAMPLE_REPOSITORY: z.string().startsWith('/').optional(),
  BULLPEN_SANDBOX_KEY: z.string().min(32),
  BULLPEN_MODEL_PROVIDER: z.enum(MODEL_PROVIDERS),
  BULLPEN_MODEL_BASE_URL: z.url().optional(),
  ANTHROPIC_API_KEY: z.string().optional(),
  BULLPEN_RUNNER: z.string().startsWith('/'),
  BULLPEN_NODE: z.string().startsWith('/'),
  BULLPEN_AGENTS: z.string().startsWith('/'),
  BULLPEN_LOCAL_PATHS: booleanVariable.default(false),
  BULLPEN_ISOLATION: isolationVariable.default('auto'),
  /** Read where the logger is made; checked here. */
  BULLPEN_LOG_LEVEL: logLevelVariable.optional(),
  BULLPEN_PRIVATE_HOSTS: list.default([]),
}).refine(isAmongReplicas, {
  path: ['ORCHESTRATOR_LINK_URLS'],
  message: 'must name this replica too, as ORCHESTRATOR_LINK_URL does, or as ws://127.0.0.1:<ORCHESTRATOR_LINK_PORT> where that is not set',
});

export type OrchestratorConfig = z.infer<typeof schema>;

/** @throws Rejection `config.invalid` that names each wrong variable */
export function loadOrchestratorConfig(environment: NodeJS.ProcessEnv = process.env): OrchestratorConfig {
  return loadConfig(schema, environment);
}

interface LinkAddresses {
  readonly ORCHESTRATOR_LINK_PORT: number;
  readonly ORCHESTRATOR_LINK_URL?: string | undefined;
  readonly ORCHESTRATOR_LINK_URLS: readonly string[];
}

/** A replica proves to runners that it is the one at the very address they dial. */
function isAmongReplicas({ ORCHESTRATOR_LINK_PORT: port, ORCHESTRATOR_LINK_URL: own, ORCHESTRATOR_LINK_URLS: all }: LinkAddresses): boolean {
  return all.length === 0 || all.includes(own ?? `ws://127.0.0.1:${port}`);
}
