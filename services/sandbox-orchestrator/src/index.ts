export { loadOrchestratorConfig } from './config.js';
export type { OrchestratorConfig } from './config.js';
export type { DrainOptions } from './orchestrator.js';
export { startOrchestrator } from './start.js';
export type { OrchestratorService } from './start.js';
