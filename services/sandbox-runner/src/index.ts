export { AGENTS_VARIABLE, createRunner } from './start.js';
export { Runner } from './runner.js';
export type { RunnerOptions } from './runner.js';
