import { appendFileSync } from 'node:fs';

/** One seed of one fault, for the table at the end of `make test-faults`. */
export interface Recorded {
  readonly fault: string;
  readonly outcome: string;
  readonly recoveryMs: number;
}

/** A line of JSON in the file that `FAULTS_RECORD` names; nothing without it. */
export function record(recorded: Recorded): void {
  const { FAULTS_RECORD } = process.env;
  if (FAULTS_RECORD) appendFileSync(FAULTS_RECORD, `${JSON.stringify(recorded)}\n`);
}
