import { describe, expect, it } from '@jest/globals';

import { modelInUse } from './platform-environment.js';
import { modelNotices } from './ready-text.js';
import { loadSettings } from './settings.js';

describe('the model in the ready text', () => {
  it('is named with its address, without credentials of that address', () => {
    const settings = loadSettings({ ANTHROPIC_API_KEY: 'k', BULLPEN_MODEL: 'm-1', ANTHROPIC_BASE_URL: 'http://u:s3cret@127.0.0.1:9/v0/' });
    expect(modelInUse(settings)).toEqual({ model: 'm-1', address: 'http://127.0.0.1:9/v0' });
    expect(modelInUse(loadSettings({ ANTHROPIC_API_KEY: 'k' })).address).toBe('https://api.anthropic.com');
    expect(modelNotices(settings)).toEqual([]);
  });

  it('is said not to be real without a key, and which settings are then ignored', () => {
    expect(modelInUse(loadSettings({ ANTHROPIC_BASE_URL: 'notaurl' })).address).toBeNull();
    expect(modelNotices(loadSettings({ ANTHROPIC_BASE_URL: 'notaurl' }))).toEqual([
      expect.stringContaining('Scripted model'),
      expect.stringContaining('ANTHROPIC_BASE_URL is ignored'),
    ]);
  });
});
