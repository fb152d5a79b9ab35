import { describe, expect, it } from '@jest/globals';

import { homeAt } from './home.js';
import { environmentOf, natsUrl, usesScriptedModel, type Installation } from './platform-environment.js';
import { loadSettings } from './settings.js';

const secrets = { natsSession: 's1', natsOrchestrator: 's2', natsGateway: 's3', natsAdmin: 's4', postgres: 's5', rpc: 's6', sandbox: 's7' };
const ports = { postgres: 1, nats: 2, scriptedModel: 3, sessionGrpc: 4, orchestratorGrpc: 5, orchestratorLink: 6, sessionHealth: 7, orchestratorHealth: 8 };

function installation(environment: NodeJS.ProcessEnv): Installation {
  return { settings: loadSettings(environment), home: homeAt('/h'), secrets, token: 't', user: { name: 'n', email: 'e' }, ports };
}

describe('environmentOf', () => {
  it('names the scripted model without a key, and never a password of the log’s admin', () => {
    const environment = environmentOf('platform', installation({}), {});
    expect(environment).toMatchObject({ BULLPEN_MODEL_PROVIDER: 'scripted', BULLPEN_MODEL_BASE_URL: 'http://127.0.0.1:3', NATS_URL: 'nats://127.0.0.1:2' });
    expect(Object.values(environment)).not.toContain('s4');
    expect(environment).not.toHaveProperty('ANTHROPIC_API_KEY');
  });

  it('hands a key and its address on', () => {
    const given = { ANTHROPIC_API_KEY: 'k', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' };
    expect(usesScriptedModel(installation(given).settings)).toBe(false);
    const environment = environmentOf('platform', installation(given), given);
    expect(environment).toMatchObject({ BULLPEN_MODEL_PROVIDER: 'anthropic', ANTHROPIC_API_KEY: 'k', BULLPEN_MODEL_BASE_URL: 'http://127.0.0.1:9' });
  });

  it('leaves out whatever else the terminal had set', () => {
    expect(environmentOf('platform', installation({}), { PATH: '/bin', AWS_SECRET_ACCESS_KEY: 'x' })).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
  });

  it('gives a service of its own process no secret of another', () => {
    const given = { ANTHROPIC_API_KEY: 'k' };
    const holders = (secret: string) =>
      (['orchestrator', 'session', 'gateway'] as const).filter((name) => Object.values(environmentOf(name, installation(given), given)).includes(secret));
    expect(['s1', 's2', 's3', 's4', 's7', 'k', 't'].map(holders)).toEqual([
      ['session'], ['orchestrator'], ['gateway'], [], ['orchestrator'], ['orchestrator'], ['gateway'],
    ]);
    expect(holders('s6')).toEqual(['orchestrator', 'session', 'gateway']);
    expect(environmentOf('session', installation({}), {})).toMatchObject({ SESSION_HEALTH_PORT: '7', SESSION_GRPC_PORT: '4' });
  });

  it('lets what stands between services be named', () => {
    const given = { SESSION_GRPC_URL: 'http://127.0.0.1:7', ORCHESTRATOR_LINK_URL: 'ws://127.0.0.1:8' };
    expect(environmentOf('platform', installation({}), given)).toMatchObject({ ...given, ORCHESTRATOR_GRPC_URL: 'http://127.0.0.1:5' });
  });

  it('uses servers that are given', () => {
    const given = { NATS_URL: 'nats://a:b@c:1', DATABASE_URL: 'postgres://d' };
    expect(natsUrl(installation(given))).toBe('nats://a:b@c:1');
    expect(environmentOf('platform', installation(given), {})).toMatchObject(given);
  });
});

