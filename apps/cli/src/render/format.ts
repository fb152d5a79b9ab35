import type { DiffStats } from '@bullpen/contracts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `12ms`, `1.4s`, `2m 05s`, `1h 02m`. */
export function duration(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 100) return `${Math.round(whole)}ms`;
  if (whole < MINUTE_MS) return `${(Math.floor(whole / 100) / 10).toFixed(1)}s`;
  if (whole < HOUR_MS) return `${Math.floor(whole / MINUTE_MS)}m ${twoDigits((whole % MINUTE_MS) / 1_000)}s`;
  return `${Math.floor(whole / HOUR_MS)}h ${twoDigits((whole % HOUR_MS) / MINUTE_MS)}m`;
}

/** How long ago, in its largest unit: `now`, `5m`, `3h`, `12d`. */
export function age(from: string, now: number): string {
  const ms = now - Date.parse(from);
  if (!Number.isFinite(ms) || ms < MINUTE_MS) return 'now';
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)}m`;
  return ms < DAY_MS ? `${Math.floor(ms / HOUR_MS)}h` : `${Math.floor(ms / DAY_MS)}d`;
}

/** RFC 3339 times, as events carry them. */
export function between(from: string, to: string): number {
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isFinite(ms) ? ms : 0;
}

export function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function counted(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

export function bytes(value: number): string {
  if (value < 1_024) return `${value} B`;
  if (value < 1_024 * 1_024) return `${(value / 1_024).toFixed(1)} KB`;
  return `${(value / 1_024 / 1_024).toFixed(1)} MB`;
}

export function dollars(value: number): string {
  return `$${value < 1 ? value.toFixed(4) : value.toFixed(2)}`;
}

export function changes({ files, insertions, deletions }: DiffStats): string {
  return `${counted(files, 'file')}, +${count(insertions)} -${count(deletions)}`;
}

function twoDigits(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}
