import { describe, expect, it } from '@jest/globals';

import { marksOf, notApplied } from './settings-in-use.js';
import { loadSettings } from './settings.js';

function codeOf(environment: NodeJS.ProcessEnv): unknown {
  try {
    loadSettings(environment);
    return null;
  } catch (error) {
    return error;
  }
}

describe('loadSettings', () => {
  it.each([
    [{ BULLPEN_MODE: 'swarm' }, 'mode.unknown', /swarm.*standalone or processes/],
    [{ BULLPEN_PORT: 'abc' }, 'config.invalid', /BULLPEN_PORT must be a port from 1 to 65535/],
    [{ BULLPEN_LOG_LEVEL: 'loud' }, 'config.invalid', /BULLPEN_LOG_LEVEL must be debug, info, warn or error/],
    [{ BULLPEN_ISOLATION: 'zz' }, 'config.invalid', /BULLPEN_ISOLATION must be auto or none/],
    [{ ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'notaurl' }, 'config.invalid', /^ANTHROPIC_BASE_URL is no address/],
    [{ NATS_URL: 'http://x' }, 'nats.url', /NATS_URL/],
  ])('refuses %j', (environment, code, message) => {
    expect(codeOf(environment)).toMatchObject({ code, message: expect.stringMatching(message) as unknown });
  });

  it('does not mind an address of a model that is not asked', () => {
    expect(codeOf({ ANTHROPIC_BASE_URL: 'notaurl' })).toBeNull();
    expect(loadSettings({ BULLPEN_MODE: 'processes' }).BULLPEN_MODE).toBe('processes');
  });
});

describe('notApplied', () => {
  const running = marksOf(loadSettings({ BULLPEN_PORT: '4801', ANTHROPIC_API_KEY: 'old' }), 'k');

  it('names what is set to something else, and nothing that is not set', () => {
    expect(notApplied({ BULLPEN_PORT: '4802', ANTHROPIC_API_KEY: 'new', BULLPEN_MODEL: 'm', BULLPEN_HOME: '/x' }, running, 'k')).toEqual([
      'BULLPEN_PORT',
      'ANTHROPIC_API_KEY',
      'BULLPEN_MODEL',
    ]);
    expect(notApplied({ BULLPEN_PORT: '4801' }, running, 'k')).toEqual([]);
    expect(notApplied({}, running, 'k')).toEqual([]);
  });

  it('keeps no value', () => {
    expect(JSON.stringify(running)).not.toContain('old');
  });
});
