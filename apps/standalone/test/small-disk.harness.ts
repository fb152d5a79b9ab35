import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** Only root may mount. */
export const MAY_MOUNT = process.platform === 'linux' && process.getuid?.() === 0;

/** What others may write while it is filled. */
const MARGIN_BYTES = 8 * 1024 * 1024;

/** A disk of its own, in memory, of a size that can be used up. */
export class SmallDisk {
  private constructor(readonly folder: string) {}

  static mount(folder: string, options: string): SmallDisk {
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'bullpen-test', folder]);
    return new SmallDisk(folder);
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    return bavail * bsize;
  }

  /** Until so much is left, as somebody else's file does. */
  fill(leftBytes: number): void {
    const bytes = this.freeBytes - leftBytes;
    if (bytes > 0) execFileSync('fallocate', ['-l', String(bytes), this.#filler()]);
  }

  /** To the last byte, whatever is freed meanwhile. */
  fillUp(): void {
    this.fill(MARGIN_BYTES);
    try {
      execFileSync('dd', ['if=/dev/zero', `of=${this.#filler()}`, 'bs=4k'], { stdio: 'ignore' });
    } catch {
      // It ends when nothing is left.
    }
  }

  free(): void {
    for (let n = 1; n <= this.#fillers; n++) rmSync(join(this.folder, `filler-${n}`), { force: true });
  }

  unmount(): void {
    execFileSync('umount', ['--lazy', this.folder]);
  }

  #fillers = 0;
  #filler(): string {
    this.#fillers += 1;
    return join(this.folder, `filler-${this.#fillers}`);
  }
}
