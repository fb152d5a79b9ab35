export { loadGatewayConfig } from './config.js';
export type { GatewayConfig } from './config.js';
export { describeApi } from './describe-api.js';
export { startGateway } from './gateway.js';
export type { RunningGateway } from './gateway.js';
