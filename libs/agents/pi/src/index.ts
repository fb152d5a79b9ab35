export { createPiAgent } from './pi.agent.js';
export type { PiOptions } from './pi.agent.js';
