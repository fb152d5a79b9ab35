export { booleanVariable, loadConfig, portVariable, urlListVariable } from './config.js';
