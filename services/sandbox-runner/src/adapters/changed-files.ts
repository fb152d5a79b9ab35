import type { RunnerEvent } from '@bullpen/contracts';
import { changedFiles } from '@bullpen/scm';

import { utf8Bytes } from '../core/clipping.js';
import type { Redactor } from '../core/redactor.js';
import type { RunnerLog } from './runner-log.js';

const SCAN_INTERVAL_MS = 300;
/** Of the list in one event. */
const MAX_LIST_BYTES = 96 * 1024;

export interface ChangedFilesOptions {
  readonly workspace: string;
  readonly base: string;
  readonly redactor: Redactor;
  readonly report: (event: RunnerEvent) => Promise<unknown>;
  readonly log: RunnerLog;
}

/** Says which files differ from the session's base whenever that changes. One scan at a time, and not more often than needed. */
export class ChangedFilesReport {
  readonly #options: ChangedFilesOptions;
  #last: string;
  #scanning: Promise<void> | null = null;
  #again = false;
  #endPause: () => void = () => undefined;

  /** @param last what the log knows already, from `state` */
  constructor(options: ChangedFilesOptions, last: string) {
    this.#options = options;
    this.#last = last;
  }

  /** What was reported last. */
  get state(): string {
    return this.#last;
  }

  /** Something may have changed. */
  touch(): void {
    this.#again = true;
    this.#scanning ??= this.#scanWhileTouched().finally(() => (this.#scanning = null));
  }

  /** Resolves once the last word is reported. */
  async settle(): Promise<void> {
    this.#again = false;
    this.#endPause();
    await this.#scanning;
    await this.#scan();
  }

  async #scanWhileTouched(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#scan();
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SCAN_INTERVAL_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #scan(): Promise<void> {
    const { workspace, base, redactor, report, log } = this.#options;
    try {
      const { files, total } = await changedFiles({ workspace, base });
      const data = redactor.json({ files: [...files], total });
      while (utf8Bytes(JSON.stringify(data.files)) > MAX_LIST_BYTES) data.files.length = Math.floor(data.files.length / 2);
      const state = JSON.stringify(data);
      if (state === this.#last) return;
      this.#last = state;
      await report({ type: 'FilesChanged', data });
    } catch (error) {
      // The checkpoint at the end of the turn looks again, and its failure ends the turn.
      log.info('changed files not read', { error });
    }
  }
}

/** State of a workspace in which nothing differs. */
export const NO_CHANGES = JSON.stringify({ files: [], total: 0 });
