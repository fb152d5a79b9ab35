// The description of the public API, made from the code: written to docs/api, or with --check compared with what lies there.
import 'reflect-metadata';

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

import { describeApi } from '../services/gateway/dist/index.js';

const FOLDER = new URL('../docs/api/', import.meta.url);
const FILE = new URL('openapi.json', FOLDER);

const document = await describeApi();
if (process.argv.includes('--check')) {
  let kept = '';
  try {
    kept = readFileSync(FILE, 'utf8');
  } catch {
    // Told below.
  }
  if (kept !== document) {
    console.error('docs/api/openapi.json is not what the code says. Run: make openapi');
    process.exitCode = 1;
  }
} else {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, document);
}
