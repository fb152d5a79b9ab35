import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

export const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 4_096;
const TAIL_LINES = 15;

/** The log of one process: `<name>.log`, and `<name>.log.1` before it; never more than twice the limit. */
export class LogFile {
  readonly path: string;

  constructor(folder: string, name: string) {
    this.path = join(folder, `${name}.log`);
  }

  /** For a child's output. The child writes by itself, so that it does not depend on the supervisor. */
  open(): number {
    return openSync(this.path, 'a', 0o600);
  }

  /** Emptied in place: the child goes on appending to the same file. */
  rotate(maxBytes = MAX_LOG_BYTES): void {
    if (this.#size() <= maxBytes) return;
    copyFileSync(this.path, `${this.path}.1`);
    truncateSync(this.path);
  }

  /** The last lines, for an error that a person reads. */
  tail(): string {
    const size = this.#size();
    if (size === 0) return '(its log is empty)';
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const file = openSync(this.path, 'r');
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    closeSync(file);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  }

  #size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
