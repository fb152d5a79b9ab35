import { closeSync, copyFileSync, openSync, readSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

export const MAX_LOG_BYTES = 10 * 1024 * 1024;
const TAIL_BYTES = 64 * 1024;

/** The log of one process: `<name>.log`, and `<name>.log.1` before it; never more than twice the limit. */
export class LogFile {
  readonly path: string;
  /** Where the output of the process that runs now begins. */
  #begin = 0;

  constructor(folder: string, name: string) {
    this.path = join(folder, `${name}.log`);
  }

  /** For a child's output. The child writes by itself, so that it does not depend on the supervisor. */
  open(): number {
    this.#begin = this.#size();
    return openSync(this.path, 'a', 0o600);
  }

  /** Emptied in place: the child goes on appending to the same file. Where the disk has no room for a copy, none is kept. */
  rotate(maxBytes = MAX_LOG_BYTES): void {
    if (this.#size() <= maxBytes) return;
    const before = `${this.path}.1`;
    try {
      copyFileSync(this.path, before);
    } catch {
      rmSync(before, { force: true });
    }
    truncateSync(this.path);
    this.#begin = 0;
  }

  /** The end of what was written since `open`; starts before that are not in it. */
  tail(): string {
    const size = this.#size();
    const buffer = Buffer.alloc(Math.min(Math.max(size - this.#begin, 0), TAIL_BYTES));
    if (buffer.length === 0) return '';
    const file = openSync(this.path, 'r');
    readSync(file, buffer, 0, buffer.length, size - buffer.length);
    closeSync(file);
    return buffer.toString('utf8').trimEnd();
  }

  #size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0;
  }
}
