export { SERVICE_NODE_FLAGS } from './node-flags.js';
export { NATS_READY_TIMEOUT_MS, natsBinary, prepareNats, waitForNats } from './nats.js';
export type { NatsOptions } from './nats.js';
export { POSTGRES_READY_TIMEOUT_MS, postgresUrl, preparePostgres, waitForPostgres } from './postgres.js';
export type { PostgresOptions } from './postgres.js';
export { MINIMUM_POSTGRES_VERSION, requirePostgres } from './postgres-probe.js';
export { isRunning, processesIn } from './processes.js';
export type { ProcessSpec } from './spawn.js';
