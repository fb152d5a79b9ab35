import { z } from 'zod';

import { loadConfig, logLevelVariable, portVariable, urlListVariable } from '@bullpen/config';
import { MODEL_PROVIDERS } from '@bullpen/contracts';

const schema = z.object({
  NATS_URL: z.string().min(1),
  GATEWAY_NATS_PASSWORD: z.string().min(1),
  BULLPEN_RPC_KEY: z.string().min(1),
  BULLPEN_OBJECTS: z.string().min(1),
  BULLPEN_PORT: portVariable.default(4800),
  BULLPEN_HOST: z.string().min(1).default('127.0.0.1'),
  BULLPEN_ALLOWED_HOSTS: z.string().default(''),
  /** Folder of the built dashboard; without it `/` leads to the API's documentation. */
  BULLPEN_WEB: z.string().min(1).optional(),
  /** Folder of the one-time codes that sign a browser in; without it only the token does. */
  BULLPEN_SIGN_IN_CODES: z.string().min(1).optional(),
  BULLPEN_TOKEN: z.string().min(16),
  SESSION_GRPC_URL: urlListVariable,
  ORCHESTRATOR_GRPC_URL: urlListVariable,
  BULLPEN_USER_NAME: z.string().min(1),
  BULLPEN_USER_EMAIL: z.string().min(1),
  BULLPEN_MODEL_PROVIDER: z.enum(MODEL_PROVIDERS),
  /** The model's id, for `GET /api/v1/agents`. */
  BULLPEN_MODEL: z.string().default(''),
  /** Read where the logger is made; checked here. */
  BULLPEN_LOG_LEVEL: logLevelVariable.optional(),
});

export type GatewayConfig = z.infer<typeof schema> & { readonly allowedHosts: readonly string[] };

/** @throws Rejection `config.invalid` naming each variable that is missing or wrong. */
export function loadGatewayConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const config = loadConfig(schema, environment);
  const hosts = config.BULLPEN_ALLOWED_HOSTS.split(',').map((host) => host.trim().toLowerCase());
  return { ...config, allowedHosts: hosts.filter((host) => host !== '') };
}
