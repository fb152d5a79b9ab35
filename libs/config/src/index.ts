export { booleanVariable, isolationVariable, loadConfig, logLevelVariable, portVariable, urlListVariable } from './config.js';
