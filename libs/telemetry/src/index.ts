export { createLogger, silentLogger } from './logger.js';
export type { Logger, LogFields } from './logger.js';
export { withoutRepeats } from './without-repeats.js';
export { currentTrace, traceparentOf, withTrace } from './trace.js';
export type { Trace } from './trace.js';
export { METRICS_CONTENT_TYPE, QUICK_SECONDS, SLOW_SECONDS, counter, gauge, histogram, metricsText, secondsSince } from './metrics.js';
export type { Counter, Gauge, Histogram, InstrumentOptions, LabelRule, LabelRules, LabelValues } from './metrics.js';
