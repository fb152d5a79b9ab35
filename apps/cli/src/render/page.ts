import { displayWidth } from './terminal-text.js';
import type { Paint } from './style.js';

/**
 * Builds what is written next, and only ever adds to what was: no cursor movement, so a pipe, a log file and a terminal read the
 * same. One block (a text part, a tool call) is open at a time; blocks are apart by an empty line.
 */
export class Page {
  #out = '';
  #block: string | null = null;
  #isEmpty = true;
  #endsBlank = true;
  /** Columns used on a line that was not ended yet. */
  #column = 0;
  /** A streamed word whose end has not come; printed when it ends, so that a line breaks between words. */
  #word = '';
  #space = '';
  #paint: Paint = (text) => text;

  constructor(readonly width: number | null) {}

  /** What was built since the last call. */
  take(): string {
    const out = this.#out;
    this.#out = '';
    return out;
  }

  /** True when the block was not the open one, so that it needs a heading. */
  enter(block: string): boolean {
    if (this.#block === block) return false;
    this.endLine();
    if (!this.#isEmpty && !this.#endsBlank) this.#write('\n');
    this.#block = block;
    return true;
  }

  line(text: string): void {
    this.endLine();
    this.#write(`${text}\n`);
  }

  /** A piece of running text of the open block. */
  stream(text: string, paint: Paint): void {
    this.#paint = paint;
    if (this.width === null) return this.#streamAsIs(text);
    for (const [token] of text.matchAll(/\n|[^\S\n]+|\S+/g)) this.#streamToken(token, this.width);
  }

  /** Ends a line that was begun, so that something else can be said; a stream goes on after it. */
  endLine(): void {
    this.#flushWord();
    this.#space = '';
    if (this.#column === 0) return;
    this.#write('\n');
  }

  #streamAsIs(text: string): void {
    if (text === '') return;
    const lastBreak = text.lastIndexOf('\n');
    const column = lastBreak === -1 ? this.#column + text.length : text.length - lastBreak - 1;
    this.#write(text);
    this.#column = column;
  }

  #streamToken(token: string, width: number): void {
    if (token === '\n') {
      this.#flushWord();
      this.#space = '';
      this.#write('\n');
    } else if (token.trim() === '') {
      this.#flushWord();
      this.#space += token;
    } else {
      this.#word += token;
      if (displayWidth(this.#word) >= width) this.#flushWord();
    }
  }

  #flushWord(): void {
    if (this.#word === '') return;
    const word = this.#word;
    this.#word = '';
    const columns = displayWidth(word);
    const room = (this.width ?? Number.POSITIVE_INFINITY) - this.#column;
    const breaks = this.#column > 0 && displayWidth(this.#space) + columns > room;
    if (breaks) this.#write('\n');
    const text = breaks ? word : this.#space + word;
    this.#space = '';
    const column = this.#column + displayWidth(text);
    this.#write(this.#paint(text));
    this.#column = column;
  }

  #write(text: string): void {
    this.#out += text;
    this.#isEmpty = false;
    if (!text.endsWith('\n')) {
      this.#endsBlank = false;
      return;
    }
    this.#endsBlank = text === '\n' ? this.#column === 0 : text.endsWith('\n\n');
    this.#column = 0;
  }
}
