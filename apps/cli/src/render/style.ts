export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly cyan: Paint;
}

const ESCAPE = '\u001b[';

export function makeStyle(color: boolean): Style {
  return {
    bold: paint(color, 1, 22),
    dim: paint(color, 2, 22),
    red: paint(color, 31, 39),
    green: paint(color, 32, 39),
    yellow: paint(color, 33, 39),
    cyan: paint(color, 36, 39),
  };
}

/** Line by line, so that a pager or a cut line never leaves a colour on. */
function paint(color: boolean, on: number, off: number): Paint {
  if (!color) return (text) => text;
  return (text) =>
    text
      .split('\n')
      .map((line) => (line === '' ? line : `${ESCAPE}${on}m${line}${ESCAPE}${off}m`))
      .join('\n');
}
