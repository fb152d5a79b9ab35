export const REDACTED = '[secret]';
/** Shorter values are no secrets, and replacing them would shred ordinary text. */
const MIN_SECRET_CHARS = 8;

/** Replaces secrets in everything that leaves the sandbox. */
export class Redactor {
  readonly #secrets: readonly string[];

  constructor(secrets: readonly string[]) {
    this.#secrets = secrets.filter((secret) => secret.length >= MIN_SECRET_CHARS).toSorted((a, b) => b.length - a.length);
  }

  text(value: string): string {
    return this.#secrets.reduce((text, secret) => text.replaceAll(secret, REDACTED), value);
  }

  /** Of a text that goes on later: a secret that may have begun at its end is left out. */
  unfinished(value: string): string {
    const text = this.text(value);
    return text.slice(0, text.length - this.#begunAtEnd(text));
  }

  /** Every string inside, keys too. */
  json<T>(value: T): T {
    return this.#secrets.length === 0 ? value : (this.#walk(value) as T);
  }

  stream(): StreamRedactor {
    let held = '';
    return {
      push: (delta) => {
        const text = this.text(held + delta);
        const begun = this.#begunAtEnd(text);
        held = text.slice(text.length - begun);
        return text.slice(0, text.length - begun);
      },
      end: () => {
        const rest = held;
        held = '';
        return rest;
      },
    };
  }

  #walk(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#walk(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [this.text(key), this.#walk(item)]));
  }

  /** Length of the longest end of `text` that is the beginning of a secret. */
  #begunAtEnd(text: string): number {
    return Math.max(0, ...this.#secrets.map((secret) => overlap(text, secret)));
  }
}

/** For a text that arrives in pieces: what comes out, put together, is the whole text with its secrets replaced. */
export interface StreamRedactor {
  push(delta: string): string;
  /** What was held back, once nothing follows. */
  end(): string;
}

function overlap(text: string, secret: string): number {
  for (let length = Math.min(text.length, secret.length - 1); length > 0; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) return length;
  }
  return 0;
}
