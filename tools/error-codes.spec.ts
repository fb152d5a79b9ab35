import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { Fault, Rejection } from '@bullpen/errors';

import { problemOf } from '../services/gateway/src/adapters/rest/problem.js';

/** Goal: docs/errors.md lists the codes there are, with the status that the API answers. Method: codes are read from the sources, statuses from the code itself. */
const CHECKOUT = join(import.meta.dirname, '..');
const CODE = String.raw`'([a-z][a-z-]*\.[a-z][a-z-]*)'`;
/** Where a code is given to an error, a reason, or a name of its own. */
const GIVEN = [String.raw`new (?:Rejection|Fault)\(\s*${CODE}`, String.raw`refused\(${CODE}`, String.raw`\bcode: ${CODE}`, String.raw`"code":${CODE.replaceAll("'", '"')}`, String.raw`const [A-Z_]+ = ${CODE}`].map(
  (pattern) => new RegExp(pattern, 'g'),
);
/** Of tests, and of programs that only tests and first steps use. */
const NOT_OURS = /\.spec\.ts$|\/test\/|^libs\/testing\/|^apps\/scripted-model\//;
const NOT_CODES: ReadonlySet<string> = new Set(['bullpen.epoch', 'bullpen.session']);
/** What the dashboard keeps in the browser is named alike. */
const KEPT = /^bullpen\./;

/** Of a kind, or of a service's name. */
const MADE_OF_PARTS = /^postgres\.|\.unavailable$|\.\*$/;

const sources = execFileSync('git', ['-C', CHECKOUT, 'ls-files', 'libs/*.ts', 'services/*.ts', 'apps/*.ts', 'bullpen'], { encoding: 'utf8' })
  .split('\n')
  .filter((file) => file !== '' && !NOT_OURS.test(file))
  .map((file) => readFileSync(join(CHECKOUT, file), 'utf8'));

interface Row {
  readonly codes: readonly string[];
  readonly status: number | null;
}

const rows: readonly Row[] = readFileSync(join(CHECKOUT, 'docs', 'errors.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, codes = '', second = '']) => ({ codes: [...codes.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code), status: /^\d{3}$/.test(second) ? Number(second) : null }));
const documented = rows.flatMap(({ codes }) => codes);

describe('docs/errors.md', () => {
  it('has every code that the sources give', () => {
    const given = new Set(sources.flatMap((text) => GIVEN.flatMap((pattern) => [...text.matchAll(pattern)].map(([, code = '']) => code))));
    expect(given.size).toBeGreaterThan(100);
    const isDocumented = (code: string) => documented.some((one) => one === code || (one.endsWith('.*') && code.startsWith(one.slice(0, -1))));
    expect([...given].filter((code) => !NOT_CODES.has(code) && !KEPT.test(code) && !isDocumented(code)).toSorted()).toEqual([]);
  });

  it('has each code once, and none that the sources do not know', () => {
    expect(documented.filter((code, index) => documented.indexOf(code) !== index)).toEqual([]);
    const text = sources.join('\n');
    const isKnown = (code: string) => text.includes(`'${code}'`) || text.includes(`"${code}"`) || MADE_OF_PARTS.test(code);
    expect(documented.filter((code) => !isKnown(code))).toEqual([]);
  });

  it('says which status the API answers', () => {
    const stated = rows.flatMap(({ codes, status }) => (status === null ? [] : codes.map((code) => [code, status] as const)));
    const answered = stated.map(([code, status]) => [code, problemOf(status === 503 ? new Fault(code, 'x') : new Rejection(code, 'x')).problem.status]);
    expect(answered).toEqual(stated);
  });
});
