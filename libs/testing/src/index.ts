export { ServerProcess, temporaryFolder } from './server-process.js';
export type { TemporaryFolder } from './server-process.js';
export { freePort, startTcpProxy } from './tcp-proxy.js';
export type { TcpProxy } from './tcp-proxy.js';
export { startTestNats } from './test-nats.js';
export type { TestNats } from './test-nats.js';
export { startTestPostgres } from './test-postgres.js';
export type { TestPostgres } from './test-postgres.js';
