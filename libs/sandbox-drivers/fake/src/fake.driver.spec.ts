import { describe, expect, it } from '@jest/globals';
import type { SandboxObservation, SandboxSpec } from '@bullpen/sandbox-driver';

import { FakeDriver } from './fake.driver.js';

const signal = new AbortController().signal;
const spec = { takeOver: null, secrets: {} } as unknown as SandboxSpec;

describe('FakeDriver', () => {
  it('moves a pending sandbox on when told to, and hands its spec over', async () => {
    const driver = new FakeDriver({ script: () => 'pending' });
    await driver.apply('a-1', spec, signal);
    expect(driver.observedOf('a-1')?.phase).toBe('pending');
    driver.run('a-1');
    expect(driver.observedOf('a-1')?.phase).toBe('running');
    expect(driver.specOf('a-1')).toBe(spec);
    driver.exit('a-1', { signal: 'SIGKILL' });
    expect(driver.observedOf('a-1')).toMatchObject({ phase: 'exited', exitCode: null, signal: 'SIGKILL' });
  });

  it('fails as often as asked, then works', async () => {
    const driver = new FakeDriver();
    driver.failNextApplies(2);
    await expect(driver.apply('a-1', spec, signal)).rejects.toMatchObject({ code: 'sandbox.apply-failed' });
    await expect(driver.apply('a-1', spec, signal)).rejects.toMatchObject({ code: 'sandbox.apply-failed' });
    await driver.apply('a-1', spec, signal);
    expect(driver.started).toEqual(['a-1']);
  });

  it('keeps a workspace until it is taken over or not wanted', async () => {
    const driver = new FakeDriver();
    await driver.apply('a-1', spec, signal);
    await driver.remove('a-1', { keepWorkspace: true });
    expect(driver.hasWorkspace('a-1')).toBe(true);
    await driver.apply('a-2', { ...spec, takeOver: 'a-1' }, signal);
    expect([driver.hasWorkspace('a-1'), driver.hasWorkspace('a-2')]).toEqual([false, true]);
  });

  it('resyncs every observer on request', async () => {
    const driver = new FakeDriver();
    const abort = new AbortController();
    const seen: SandboxObservation['kind'][] = [];
    const following = (async () => {
      for await (const { kind } of driver.observe(abort.signal)) if (seen.push(kind) === 2) abort.abort();
    })();
    await new Promise(setImmediate);
    driver.resync();
    await following;
    expect(seen).toEqual(['resync', 'resync']);
  });
});
