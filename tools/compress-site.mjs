// Compressed once, here, and not for each request: a .br and a .gz beside every file of the dashboard that gains by it.
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const [folder] = process.argv.slice(2);
const SMALLEST_BYTES = 1_024;

for (const file of globSync(`${folder}/**/*.{js,css,html,svg,json}`)) {
  if (statSync(file).size < SMALLEST_BYTES) continue;
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
