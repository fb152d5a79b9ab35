// What the browser must load before it shows anything stays small: sums of what the build's manifest says is loaded, gzipped.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const SITE = 'apps/web/dist/site';
const MANIFEST = join(SITE, '.vite/manifest.json');
const KB = 1_000;
const ENTRY = 'index.html';
const SESSION = 'src/routes/session-route.tsx';
const CHANGES = 'src/features/changes/changes-view.tsx';
const BUDGETS = { entry: 200 * KB, session: 130 * KB, changes: 110 * KB, styles: 20 * KB };

if (!existsSync(MANIFEST)) {
  console.log(`${MANIFEST} is missing: build first, tools/build.sh.`);
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(MANIFEST, 'utf8'));

/** With all that is imported statically. */
function loadedWith(name, found = new Set()) {
  const chunk = manifest[name];
  if (chunk === undefined) throw new Error(`The dashboard's build has no chunk ${name}: was it renamed, or is it no longer loaded on demand?`);
  if (found.has(name)) return found;
  found.add(name);
  for (const imported of chunk.imports ?? []) loadedWith(imported, found);
  return found;
}

const gzipBytes = (files) => files.reduce((sum, file) => sum + gzipSync(readFileSync(join(SITE, file)), { level: 9 }).length, 0);
const scriptsOf = (names) => [...names].map((name) => manifest[name].file);
const stylesOf = (names) => [...new Set([...names].flatMap((name) => manifest[name].css ?? []))];

const entry = loadedWith(ENTRY);
const session = loadedWith(SESSION).difference(entry);
const changes = loadedWith(CHANGES).difference(entry).difference(session);
const sizes = {
  entry: gzipBytes(scriptsOf(entry)),
  session: gzipBytes(scriptsOf(session)),
  changes: gzipBytes(scriptsOf(changes)),
  styles: gzipBytes(stylesOf(entry.union(session))),
};

const inKb = (bytes) => `${(bytes / KB).toFixed(0)} KB`;
for (const [part, bytes] of Object.entries(sizes)) {
  if (bytes <= BUDGETS[part]) continue;
  console.log(`The dashboard's ${part} is ${inKb(bytes)} gzipped; its budget is ${inKb(BUDGETS[part])}. Load on demand what the first view does not need.`);
  process.exitCode = 1;
}
console.log(`@note entry ${inKb(sizes.entry)}, session ${inKb(sizes.session)}, changes ${inKb(sizes.changes)}, styles ${inKb(sizes.styles)}`);
