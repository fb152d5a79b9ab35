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

/** Lines that cannot be written now, as on a full disk; older ones are kept, newer ones dropped. */
const MAX_UNWRITTEN_BYTES = 1024 * 1024;

const DEFAULT_LEVEL = 'info';

/** Field names whose values never reach a log, at any of the first two levels. */
const SECRET_FIELDS = ['token', 'password', 'apiKey', 'authorization', 'secret', 'key'];

/**
 * JSON lines on stdout, or at the end of a file: time, level, service, msg and the fields. An `error` field becomes its type, code, message and stack.
 * Level by `BULLPEN_LOG_LEVEL` (debug, info, warn, error), default info; a level that is none is refused by the configuration,
 * not here, where nobody could log it. A full disk loses lines and does no other harm.
 */
export function createLogger(service: string, level = process.env['BULLPEN_LOG_LEVEL'] ?? DEFAULT_LEVEL, file?: string): Logger {
  const options: pino.LoggerOptions = {
    level: level in pino.levels.values ? level : DEFAULT_LEVEL,
    base: { service },
    mixin: () => ({ ...currentTrace() }),
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    serializers: { error: serializeError },
  };
  const destination = pino.destination({ dest: file ?? 1, sync: true, mode: 0o600, maxLength: MAX_UNWRITTEN_BYTES });
  // A log that cannot be written must not end the process that writes it.
  destination.on('error', () => undefined);
  return wrap(pino(options, destination));
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
