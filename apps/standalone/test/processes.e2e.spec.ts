import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';

import { TestPlatform, eventually } from './platform.harness.js';
import { isLiving, processesWithEnvironment } from './processes.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: services are services. Method: the real product with one process a service; a slow turn goes on while each of them is killed. */
const SERVICES = ['orchestrator', 'session', 'gateway'] as const;
const WORDS = 40;
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start({ BULLPEN_MODE: 'processes' });
}, 90_000);
// Tests that stop it run in any order.
beforeEach(async () => {
  if (!(await platform.isReady())) await platform.up();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

const healthOf = async (service: 'orchestrator' | 'session'): Promise<unknown> =>
  (await fetch(`http://127.0.0.1:${platform.runFile.ports[`${service}Health`] ?? 0}/readyz`)).json();

describe('BULLPEN_MODE=processes make up', () => {
  it('runs one process a service, each with its log, and its health where nobody else serves it', async () => {
    const { processes } = platform.runFile;
    expect(Object.keys(processes)).toEqual(['postgres', 'nats', 'scriptedModel', ...SERVICES]);
    expect(new Set(Object.values(processes).map(({ pid }) => pid)).size).toBe(6);
    for (const name of SERVICES) expect(readFileSync(join(platform.home, 'logs', `${name}.log`), 'utf8')).toContain('"level":"info"');
    await eventually('the session service is wholly well', 10_000, async () => JSON.stringify(await healthOf('session')).includes('"ready"'));
    expect(await healthOf('orchestrator')).toMatchObject({ status: 'ready' });
  });

  it.each(SERVICES)('completes a turn, byte for byte, when the %s is killed in the middle of it', async (victim) => {
    const id = await platform.createSession(`slow: ${WORDS}`);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('AssistantTextAppended');
    const killed = platform.kill(victim);
    expect(watcher.has('TurnEnded')).toBe(false);
    const ended = await watcher.sees('TurnEnded', () => true, 60_000);
    expect(ended.data['outcome']).toBe('completed');
    expect(watcher.text()).toContain(Array.from({ length: WORDS }, (_, index) => `word${index + 1}`).join(' '));
    expect(watcher.faults).toEqual([]);
    await eventually(`another ${victim}`, 30_000, async () => platform.runFile.processes[victim]?.pid !== killed && (await platform.isReady()));
  }, 120_000);

  it('ends the running turn as failed on Ctrl-C, in order, and leaves nothing', async () => {
    const id = await platform.createSession(`slow: ${WORDS}`);
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('AssistantTextAppended');
    watcher.close();
    const before = platform.runFile;
    expect(await platform.stop()).toBe(0);
    const stops = ['stop gateway', 'stop session service', 'stop sandbox orchestrator', 'stop NATS'].map((text) =>
      platform.output.split('\n').findIndex((line) => line.includes(text)),
    );
    expect(stops).toEqual(stops.toSorted((a, b) => a - b));
    expect(stops).not.toContain(-1);
    expect(processesWithEnvironment(`BULLPEN_SANDBOX_ID=${sandboxIdOf(id, 1)}`)).toEqual([]);
    expect(Object.values(before.processes).filter(({ pid }) => isLiving(pid))).toEqual([]);

    await platform.up();
    expect(platform.runFile.ports).toEqual(before.ports);
    const ended = await Watcher.follow(platform, id).sees('TurnEnded');
    expect(ended.data).toMatchObject({ outcome: 'failed', reason: { code: 'platform.stopped' } });
  }, 150_000);
});
