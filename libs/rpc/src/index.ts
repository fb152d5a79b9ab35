export { readiness, startHealthServer } from './health-server.js';
export type { HealthCheck, HealthReport, HealthServer } from './health-server.js';
export { createRpcClient } from './rpc-client.js';
export type { RpcClientOptions } from './rpc-client.js';
export { nestLogger, startRpcServer } from './rpc-server.js';
export type { RpcServer, RpcServerOptions } from './rpc-server.js';
