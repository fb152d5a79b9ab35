import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { createLogger } from './index.js';

describe('createLogger', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bullpen-logger-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    ['loud', ['info', 'error']],
    ['', ['info', 'error']],
    ['error', ['error']],
    ['debug', ['debug', 'info', 'error']],
  ])('at level “%s” writes %j', (level, expected) => {
    const file = join(folder, 'log');
    const logger = createLogger('x', level, file);
    logger.debug('a');
    logger.info('b');
    logger.error('c');
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
  });
});
