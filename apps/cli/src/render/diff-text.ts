import { makeStyle } from './style.js';
import type { Paint, Style } from './style.js';
import { neutralise } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

/** A git patch for a terminal; anywhere else it stays as it is, byte for byte and in any encoding, so that `git apply` takes it. */
export function diffText(patch: Uint8Array, { color, width }: Terminal): string | Uint8Array {
  if (width === null) return patch;
  const style = makeStyle(color);
  const text = new TextDecoder().decode(patch);
  let isHeader = true;
  return (text.endsWith('\n') ? text : `${text}\n`)
    .split('\n')
    .map((line) => {
      if (line.startsWith('diff --git ')) isHeader = true;
      if (line.startsWith('@@')) isHeader = false;
      return paintOf(line, isHeader, style)(neutralise(line));
    })
    .join('\n');
}

function paintOf(line: string, isHeader: boolean, style: Style): Paint {
  if (isHeader) return style.bold;
  if (line.startsWith('@@')) return style.cyan;
  if (line.startsWith('+')) return style.green;
  return line.startsWith('-') ? style.red : (text) => text;
}
