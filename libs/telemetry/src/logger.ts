import { pino } from 'pino';

import { describeError } from '@bullpen/errors';

import { currentTrace } from './trace.js';

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log: a constant message plus fields. `core` folders never log. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose every line also has these fields. */
  child(fields: LogFields): Logger;
}

/** Field names whose values never reach a log, at any of the first two levels. */
const SECRET_FIELDS = ['token', 'password', 'apiKey', 'authorization', 'secret', 'key'];

/**
 * JSON lines on stdout, or at the end of a file: time, level, service, msg and the fields. An `error` field becomes its type, code, message and stack.
 * Level by `BULLPEN_LOG_LEVEL` (debug, info, warn, error), default info.
 */
export function createLogger(service: string, level = process.env['BULLPEN_LOG_LEVEL'] ?? 'info', file?: string): Logger {
  const options: pino.LoggerOptions = {
    level,
    base: { service },
    mixin: () => ({ ...currentTrace() }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    serializers: { error: serializeError },
  };
  return wrap(file === undefined ? pino(options) : pino(options, pino.destination({ dest: file, sync: true, mode: 0o600 })));
}

/** For tests and libraries that were given no logger. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
};

function wrap(target: pino.Logger): Logger {
  return {
    debug: (message, fields = {}) => target.debug(fields, message),
    info: (message, fields = {}) => target.info(fields, message),
    warn: (message, fields = {}) => target.warn(fields, message),
    error: (message, fields = {}) => target.error(fields, message),
    child: (fields) => wrap(target.child(fields)),
  };
}

function serializeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause = error.cause === undefined ? {} : { cause: serializeError(error.cause) };
  return { type: error.name, code: describeError(error).code, message: error.message, stack: error.stack, ...cause };
}
