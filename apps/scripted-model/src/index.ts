export { startScriptedModel } from './server.js';
export type { ReceivedRequest, ScriptedModel, ScriptedModelOptions } from './server.js';
