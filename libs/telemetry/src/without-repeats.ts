import { describeError } from '@bullpen/errors';

import type { LogFields, Logger } from './logger.js';

/** An outage is one line at its start, then one each time this has passed. */
const REPEAT_INTERVAL_MS = 30_000;
/** Kinds of warnings that are told apart; the one that was shown longest ago is forgotten. */
const MAX_KINDS = 200;
const NO_CODE = 'internal';

interface Shown {
  readonly at: number;
  readonly since: number;
}

/**
 * The same logger, but of warnings with the same message about the same kind of error only the first, and then one in half a minute with
 * `repeated`: how many were left out since. Those left out are `debug` lines. Errors are never left out.
 */
export function withoutRepeats(logger: Logger, now: () => number = Date.now): Logger {
  const shown = new Map<string, Shown>();
  const warn = (message: string, fields: LogFields = {}): void => {
    const kind = `${message} ${kindOf(fields['error'])}`;
    const last = shown.get(kind);
    if (last !== undefined && now() - last.at < REPEAT_INTERVAL_MS) {
      shown.set(kind, { ...last, since: last.since + 1 });
      return logger.debug(message, fields);
    }
    shown.delete(kind);
    shown.set(kind, { at: now(), since: 0 });
    const [oldest] = shown.keys();
    if (shown.size > MAX_KINDS && oldest !== undefined) shown.delete(oldest);
    logger.warn(message, last !== undefined && last.since > 0 ? { ...fields, repeated: last.since } : fields);
  };
  return {
    debug: (message, fields) => logger.debug(message, fields),
    info: (message, fields) => logger.info(message, fields),
    warn,
    error: (message, fields) => logger.error(message, fields),
    child: (fields) => withoutRepeats(logger.child(fields), now),
  };
}

function kindOf(error: unknown): string {
  const { code } = describeError(error);
  return code === NO_CODE ? String(error) : code;
}
