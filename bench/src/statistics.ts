/** Nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** One line of the table: what Bullpen needs, what the bare path needs in the same run, and the ratio of the medians. */
export interface Row {
  readonly what: string;
  readonly unit: string;
  readonly bullpen: number;
  /** Null where there is nothing bare to compare with. */
  readonly bare: number | null;
  readonly bareIs: string;
}

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ what, unit, bullpen, bare, bareIs }) => [
    what,
    `${short(bullpen)} ${unit}`,
    bare === null ? '–' : `${short(bare)} ${unit}`,
    bare === null ? '–' : short(bullpen / bare),
    bareIs,
  ]);
  return markdown(['measured', 'Bullpen', 'bare', 'ratio', 'the bare path'], cells);
}

export function markdown(headings: readonly string[], cells: readonly (readonly string[])[]): string {
  return [headings, headings.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

export function short(value: number): string {
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}
