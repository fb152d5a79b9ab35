import { benchAgent } from './agent-bench.js';
import { benchProfile } from './profile/profile-bench.js';
import { table } from './statistics.js';
import { benchStreams } from './stream-bench.js';

for (const name of Object.keys(process.env)) if (/^(ANTHROPIC|OPENAI|CLAUDE)/.test(name)) delete process.env[name];

const parts = { streams: benchStreams, agent: benchAgent };
const wanted = process.argv.slice(2);
if (wanted.includes('profile')) {
  process.stdout.write(`${await benchProfile()}\n`);
  process.exit(0);
}
const rows = [];
for (const [name, bench] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stderr.write(`measuring: ${name}\n`);
  rows.push(...(await bench()));
}
process.stdout.write(`${table(rows)}\n`);
process.exit(0);
