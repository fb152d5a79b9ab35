import 'reflect-metadata';

export { loadSessionConfig } from './config.js';
export type { SessionConfig } from './config.js';
export { startSession } from './start.js';
