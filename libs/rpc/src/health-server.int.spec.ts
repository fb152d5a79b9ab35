import { afterEach, describe, expect, it } from '@jest/globals';

import { startHealthServer } from './index.js';
import type { HealthCheck, HealthServer } from './index.js';

describe('startHealthServer', () => {
  let server: HealthServer | null = null;
  afterEach(async () => server?.close());

  const fine: HealthCheck = { name: 'log', passes: async () => 7 };
  const get = async (path: string): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(`http://127.0.0.1:${server?.port ?? 0}${path}`);
    return { status: response.status, body: await response.json() };
  };

  it('says that the process runs, whatever the checks say', async () => {
    server = await startHealthServer({ port: 0, checks: [{ name: 'log', passes: async () => false }] });
    expect(await get('/healthz')).toEqual({ status: 200, body: { status: 'ok' } });
    expect((await get('/')).status).toBe(404);
  });

  it('is ready with every check, degraded without an optional one', async () => {
    server = await startHealthServer({ port: 0, checks: [fine] });
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'ready', checks: { log: true } } });
    await server.close();
    const away: HealthCheck = { name: 'postgres', optional: true, passes: () => Promise.reject(new Error('away')) };
    server = await startHealthServer({ port: 0, checks: [fine, away] });
    expect(await get('/readyz')).toEqual({ status: 200, body: { status: 'degraded', checks: { log: true, postgres: false } } });
  });

  it('is not ready when a needed check fails, or never answers', async () => {
    const silent: HealthCheck = { name: 'log', passes: () => new Promise(() => undefined) };
    server = await startHealthServer({ port: 0, checks: [silent] });
    expect(await get('/readyz')).toEqual({ status: 503, body: { status: 'not-ready', checks: { log: false } } });
  });

  it('names a port that is taken', async () => {
    server = await startHealthServer({ port: 0, checks: [] });
    await expect(startHealthServer({ port: server.port, checks: [] })).rejects.toMatchObject({ code: 'health.not-listening' });
  });

  it('shows what the process has counted', async () => {
    server = await startHealthServer({ port: 0, checks: [] });
    const response = await fetch(`http://127.0.0.1:${server.port}/metrics`);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await response.text()).toContain('# TYPE process_cpu_seconds_total counter\n');
  });
});
