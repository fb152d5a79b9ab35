import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { isolationVariable, loadConfig, logLevelVariable, portVariable } from './config.js';

const schema = z.object({ PORT: portVariable, NAME: z.string().default('x') });

describe('loadConfig', () => {
  it('reads and converts what the schema names, and takes empty for unset', () => {
    expect(loadConfig(schema, { PORT: '80', NAME: '', OTHER: 'y' })).toEqual({ PORT: 80, NAME: 'x' });
  });

  it('names every variable that is missing or wrong, without its value', () => {
    expect(() => loadConfig(schema, {})).toThrow(/PORT/);
    expect(() => loadConfig(schema, { PORT: 's3cret' })).toThrow(/PORT/);
    expect(() => loadConfig(schema, { PORT: 's3cret' })).not.toThrow(/s3cret/);
  });

  it('says which words may be chosen from', () => {
    const choices = z.object({ LEVEL: logLevelVariable.optional(), ISOLATION: isolationVariable.optional() });
    expect(() => loadConfig(choices, { LEVEL: 'loud', ISOLATION: 'zz' })).toThrow(/LEVEL must be debug, info, warn or error; ISOLATION must be auto or none\. Correct/);
    expect(loadConfig(choices, { LEVEL: 'warn', ISOLATION: '' })).toEqual({ LEVEL: 'warn' });
  });

  it.each(['abc', '0', '65536', '1.5'])('says once what a port is when given %s', (PORT) => {
    expect(() => loadConfig(schema, { PORT })).toThrow(/^Cannot start: PORT must be a port from 1 to 65535\. Correct/);
  });
});
