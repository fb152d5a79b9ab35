export { AgentStartFault } from './agent.js';
export type { Agent, AgentEvent, AgentExit, AgentLaunch, AgentProcess, AgentPrompt, AgentTurnResult } from './agent.js';
