/** Where output goes. `width` null: not a terminal, nothing is wrapped or cut. */
export interface Terminal {
  readonly color: boolean;
  readonly width: number | null;
}

// Complete colour sequences only say how text looks, so they are dropped; tools print many.
const COLOR_SEQUENCE = /\u001b\[[0-9;:]*m/g;
// C0 but tab and newline, DEL, C1, and the marks that reorder or hide text.
// oxlint-disable-next-line no-control-regex -- these characters are what it looks for
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const WIDE = /[\p{Emoji_Presentation}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;
const ZERO_WIDTH = /[\p{Mark}\u200d\ufe0f]/u;

/** Text that cannot drive a terminal: control characters become visible signs, colours are dropped. Newlines and tabs stay. */
export function neutralise(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(COLOR_SEQUENCE, '').replace(UNSAFE, visibleSign);
}

/** One line of it: newlines and tabs become spaces. */
export function neutralLine(text: string): string {
  return neutralise(text).replace(/[\n\t]+/g, ' ').trim();
}

/** Lines of a tool's output as a terminal would leave them: what a carriage return overwrote is gone. */
export function outputLines(text: string): string[] {
  const lines = text.replaceAll('\r\n', '\n').replace(/\n+$/, '').split('\n');
  return lines.map((line) => neutralise(line.replace(/\r+$/, '').replace(/^[^]*\r/, '')).replaceAll('\t', '    '));
}

/** JSON text whose unsafe characters are escapes, so that it is the same JSON and harmless on a terminal. */
export function neutralJson(json: string): string {
  return json.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Columns that a terminal needs for it. */
export function displayWidth(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOf(character);
  return columns;
}

/** The start of it that fits, with `…` when something was cut. */
export function fit(text: string, width: number | null): string {
  if (width === null || displayWidth(text) <= width) return text;
  let kept = '';
  let columns = 1;
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width) break;
    kept += character;
  }
  return `${kept}…`;
}

export function padTo(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

function columnsOf(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}

function visibleSign(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}
