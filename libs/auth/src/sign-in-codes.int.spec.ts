import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { SIGN_IN_CODE_MS, mintSignInCode, redeemSignInCode } from './sign-in-codes.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'bullpen-codes-')), 'codes');
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

function age(byMs: number): void {
  const then = (Date.now() - byMs) / 1_000;
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), then, then);
}

describe('a sign-in code', () => {
  it('works once, however many ask at the same time', async () => {
    const code = await mintSignInCode(folder);
    const answers = await Promise.all(Array.from({ length: 8 }, () => redeemSignInCode(folder, code)));
    expect(answers.filter(Boolean)).toHaveLength(1);
    expect(await redeemSignInCode(folder, code)).toBe(false);
  });

  it('is not kept as it is, and nobody else can read what is', async () => {
    const code = await mintSignInCode(folder);
    const names = readdirSync(folder);
    expect(names).toHaveLength(1);
    expect(names[0]).not.toContain(code);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, names[0]!)).mode & 0o777).toBe(0o600);
  });

  it('runs out, and is swept by the next one', async () => {
    const code = await mintSignInCode(folder);
    age(SIGN_IN_CODE_MS + 1_000);
    const next = await mintSignInCode(folder);
    expect(readdirSync(folder)).toHaveLength(1);
    expect(await redeemSignInCode(folder, code)).toBe(false);
    expect(await redeemSignInCode(folder, next)).toBe(true);
  });

  it('that ran out is worth nothing, and gone once it was tried', async () => {
    const code = await mintSignInCode(folder);
    age(SIGN_IN_CODE_MS + 1_000);
    expect(await redeemSignInCode(folder, code)).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each(['', '../codes', 'nothing'])('is not %p', async (code) => {
    await mintSignInCode(folder);
    expect(await redeemSignInCode(folder, code)).toBe(false);
    expect(readdirSync(folder)).toHaveLength(1);
  });
});
