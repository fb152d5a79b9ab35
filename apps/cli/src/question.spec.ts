import { PassThrough } from 'node:stream';

import { expect, it } from '@jest/globals';

import { ask } from './question.js';

async function typed(keys: string): Promise<string> {
  const input = new PassThrough();
  const answered = ask('Sure? ', input, new PassThrough().resume());
  input.write(keys);
  return answered;
}

it('takes a line, and Ctrl-C or Ctrl-D for an empty one', async () => {
  expect(await typed('yes\r')).toBe('yes');
  expect(await typed('\u0003')).toBe('');
  expect(await typed('\u0004')).toBe('');
});
