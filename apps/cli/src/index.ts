export { EXIT } from './exit-codes.js';
export type { CliHost, Output } from './host.js';
export { runCli } from './program.js';
