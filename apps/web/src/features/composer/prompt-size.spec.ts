import { describe, expect, it } from '@jest/globals';

import { MAX_PROMPT_BYTES } from '@bullpen/contracts';

import { describeSize, promptProblem } from './prompt-size.js';

describe('promptProblem', () => {
  it.each(['', ' \n\t '])('asks for something to do instead of %j', (text) => expect(promptProblem(text)).toBe('Say what is to be done.'));

  it('counts bytes of UTF-8, not characters', () => {
    expect(promptProblem('a'.repeat(MAX_PROMPT_BYTES))).toBeNull();
    expect(promptProblem('é'.repeat(MAX_PROMPT_BYTES / 2))).toBeNull();
    expect(promptProblem('é'.repeat(MAX_PROMPT_BYTES / 2) + 'a')).toContain('too long: 128.1 of 128 KiB');
  });
});

describe('describeSize', () => {
  it('is silent until little room is left', () => {
    expect(describeSize('a'.repeat(MAX_PROMPT_BYTES * 0.8))).toBeNull();
    expect(describeSize('a'.repeat(MAX_PROMPT_BYTES))).toBe('128.0 of 128 KiB');
  });
});
