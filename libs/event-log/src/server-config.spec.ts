import { describe, expect, it } from '@jest/globals';

import { natsServerConfig, requireNatsVersion } from './index.js';

const password = '0123456789abcdef';
const passwords = { session: password, orchestrator: password, gateway: password, admin: password };

describe('natsServerConfig', () => {
  it('listens on loopback and puts every append on disk', () => {
    const text = natsServerConfig({ port: 4222, storeDir: '/data/a "b"', passwords });
    expect(text).toContain('listen: "127.0.0.1:4222"');
    expect(text).toContain('sync_interval: always');
    expect(text).toContain('store_dir: "/data/a \\"b\\""');
  });

  it('names itself, its port and the others in a cluster', () => {
    const cluster = { serverName: 'n2', port: 7002, routes: ['127.0.0.1:7001', '127.0.0.1:7003'], password };
    const text = natsServerConfig({ port: 4222, storeDir: '/data', passwords, cluster });
    expect(text).toContain('server_name: n2');
    expect(text).toContain(`routes: ["nats-route://route:${password}@127.0.0.1:7001","nats-route://route:${password}@127.0.0.1:7003"]`);
    expect(natsServerConfig({ port: 4222, storeDir: '/data', passwords })).not.toContain('cluster');
    expect(() => natsServerConfig({ port: 1, storeDir: '/d', passwords, cluster: { ...cluster, password: 'short' } })).toThrow('n2');
  });

  it('refuses a password that could be read as configuration', () => {
    for (const bad of ['', 'short', `${password}"}`, `$${password}`, `${password}\n`]) {
      expect(() => natsServerConfig({ port: 1, storeDir: '/d', passwords: { ...passwords, gateway: bad } })).toThrow('gateway');
    }
  });
});

describe('requireNatsVersion', () => {
  it('names what was found and the cure', () => {
    for (const old of ['2.9.10', '2.11.99', 'nats-server: v2.10.27', 'unknown']) {
      expect(() => requireNatsVersion(old)).toThrow(
        expect.objectContaining({ code: 'nats.version', message: expect.stringContaining(old) }),
      );
    }
    for (const enough of ['2.12.0', '2.15.1', 'nats-server: v2.15.1', '3.0.0', '2.12.0-RC.1'])
      expect(() => requireNatsVersion(enough)).not.toThrow();
  });
});
