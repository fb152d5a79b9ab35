export { createLogger, silentLogger } from './logger.js';
export type { Logger, LogFields } from './logger.js';
export { withoutRepeats } from './without-repeats.js';
export { currentTrace, traceparentOf, withTrace } from './trace.js';
export type { Trace } from './trace.js';
