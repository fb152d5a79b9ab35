import type { Redactor } from '../core/redactor.js';

export interface RunnerLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Every line from now on names this turn, whoever writes it; null: it is over. */
  during(turn: LoggedTurn | null): void;
}

export interface LoggedTurn {
  readonly turnId: string;
  readonly attempt: number;
  /** W3C trace context of the request that started it. */
  readonly traceparent?: string | undefined;
}

/** JSON lines on stderr, where the driver keeps the last of them; secrets are replaced. */
export function createRunnerLog(redactor: Redactor, fields: Readonly<Record<string, unknown>>, write = writeToStderr): RunnerLog {
  let turn: LoggedTurn | null = null;
  const log =
    (level: string) =>
    (message: string, more: Readonly<Record<string, unknown>> = {}) => {
      const line = JSON.stringify({ time: new Date().toISOString(), level, msg: message, ...fields, ...turn, ...describeErrors(more) });
      write(`${redactor.text(line)}\n`);
    };
  const during = (running: LoggedTurn | null): void => void (turn = running);
  return { info: log('info'), error: log('error'), during };
}

function describeErrors(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown = ([name, value]: [string, unknown]) => [name, value instanceof Error ? `${value.name}: ${value.message}` : value];
  return Object.fromEntries(Object.entries(fields).map(shown));
}

function writeToStderr(line: string): void {
  process.stderr.write(line);
}
