// What a run of the fault suite came to: fault × outcome × worst recovery, as a Markdown table.
import { readFileSync } from 'node:fs';

/** @type {Map<string, { fault: string, outcome: string, seeds: number, worstMs: number }>} */
const rows = new Map();
for (const line of readFileSync(process.argv[2] ?? '', 'utf8').split('\n').filter(Boolean)) {
  const { fault, outcome, recoveryMs } = JSON.parse(line);
  const key = `${fault}\n${outcome}`;
  const { seeds, worstMs } = rows.get(key) ?? { seeds: 0, worstMs: 0 };
  rows.set(key, { fault, outcome, seeds: seeds + 1, worstMs: Math.max(worstMs, recoveryMs) });
}
console.log('\n| fault | outcome of the turn | seeds | worst recovery |\n|---|---|---:|---:|');
for (const { fault, outcome, seeds, worstMs } of rows.values()) {
  console.log(`| ${fault} | ${outcome} | ${seeds} | ${(worstMs / 1_000).toFixed(1)} s |`);
}
console.log('');
