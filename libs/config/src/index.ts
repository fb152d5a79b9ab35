export { booleanVariable, loadConfig, portVariable } from './config.js';
