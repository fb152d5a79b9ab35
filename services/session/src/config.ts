import { z } from 'zod';

import { loadConfig, logLevelVariable, portVariable, urlListVariable } from '@bullpen/config';
import { MODEL_PROVIDERS } from '@bullpen/contracts';

const schema = z.object({
  NATS_URL: z.string().min(1),
  SESSION_NATS_PASSWORD: z.string().min(1),
  DATABASE_URL: z.string().min(1),
  BULLPEN_RPC_KEY: z.string().min(1),
  SESSION_GRPC_PORT: portVariable,
  /** Absent: no health endpoint, as where another service of the same process has one. */
  SESSION_HEALTH_PORT: portVariable.optional(),
  ORCHESTRATOR_GRPC_URL: urlListVariable,
  /** The data folder; while its disk is short of room, no new work is taken. Absent: nobody looks. */
  BULLPEN_DATA: z.string().startsWith('/').optional(),
  BULLPEN_SAMPLE_REPOSITORY: z.string().startsWith('/'),
  BULLPEN_MODEL_PROVIDER: z.enum(MODEL_PROVIDERS),
  BULLPEN_MODEL: z.string().min(1),
  /** Read where the logger is made; checked here. */
  BULLPEN_LOG_LEVEL: logLevelVariable.optional(),
});

export type SessionConfig = z.infer<typeof schema>;

/** @throws Rejection `config.invalid` that names each wrong variable */
export function loadSessionConfig(environment: NodeJS.ProcessEnv = process.env): SessionConfig {
  return loadConfig(schema, environment);
}
