import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { sandboxIdOf } from '@bullpen/contracts';

import { TestPlatform, eventually } from './platform.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: what an operator scrapes, and finds by a trace id, is so. Method: the real product runs prompts, and is then asked. */
let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => platform?.remove(), 60_000);

/** Of every process of the platform that shows figures. */
async function scrape(): Promise<string[]> {
  const { ports, processes } = platform.runFile;
  const own = processes['gateway'] ? [ports['sessionHealth'], ports['orchestratorHealth']] : [];
  const urls = [platform.url, ...own.map((port) => `http://127.0.0.1:${port ?? 0}`)];
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.flatMap((text) => text.split('\n'));
}

/** The sum over the series of a name that have all these labels. */
function valueOf(lines: readonly string[], name: string, ...labels: readonly string[]): number {
  const found = lines.filter((line) => /^[^{ ]+/.exec(line)?.[0] === name && labels.every((label) => line.includes(label)));
  return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

describe('/metrics', () => {
  it('shows a cold and a warm turn, from the request to the client', async () => {
    const id = await platform.createSession('run: echo one');
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('TurnEnded');
    await platform.api('POST', `/sessions/${id}/prompts`, { text: 'run: echo two' });
    await eventually('the second turn ends', 30_000, () => watcher.events.filter(({ type }) => type === 'TurnEnded').length === 2);
    const lines = await scrape();
    const value = (name: string, ...labels: string[]) => valueOf(lines, name, ...labels);

    expect(value('bullpen_turns_total', 'outcome="completed"')).toBeGreaterThanOrEqual(2);
    expect(value('bullpen_spawns_total', 'path="cloned"')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_spawn_seconds_count', 'path="cloned"')).toBeGreaterThanOrEqual(1);
    const stages = ['requested', 'provisioning'].map((stage) => value('bullpen_spawn_stage_seconds_count', `stage="${stage}"`, 'path="cloned"'));
    expect(Math.min(...stages)).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_first_token_seconds_count', 'sandbox="cold"')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_first_token_seconds_count', 'sandbox="warm"')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_first_token_seconds_sum')).toBeGreaterThan(0);
    for (const lane of ['core', 'sandbox', 'agent']) {
      expect(value('bullpen_log_appends_total', `lane="${lane}"`, 'outcome="done"')).toBeGreaterThanOrEqual(2);
      expect(value('bullpen_log_append_seconds_count', `lane="${lane}"`)).toBe(value('bullpen_log_appends_total', `lane="${lane}"`));
    }
    expect(value('bullpen_delivery_seconds_count')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_delivery_seconds_sum') / value('bullpen_delivery_seconds_count')).toBeLessThan(30);
    const posted = ['route="/api/v1/sessions/:id/prompts"', 'method="POST"', 'status="2xx"'];
    expect(value('bullpen_http_request_seconds_count', ...posted)).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_sockets')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_subscriptions')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_runner_links')).toBeGreaterThanOrEqual(1);
    expect(value('bullpen_shard_leases')).toBe(16);
    for (const none of ['bullpen_projection_faults_total', 'bullpen_sandboxes_lost_total', 'bullpen_sockets_lagging']) {
      expect(lines.some((line) => line.startsWith(none))).toBe(true);
      expect(value(none)).toBe(0);
    }
    // Figures, and nothing of what anybody works on.
    expect(lines.join('\n')).not.toMatch(new RegExp(`${id}|sample|echo`));
  }, 120_000);

  it('counts a problem by its code', async () => {
    const problemCount = async () => valueOf(await scrape(), 'bullpen_problems_total', 'via="rest"', 'code="route.not-found"');
    const before = await problemCount();
    await platform.api('GET', '/no-such-thing');
    expect(await problemCount()).toBe(before + 1);
  });

  it('has no more series for whatever is asked', async () => {
    const ask = (n: number) =>
      Promise.all([
        platform.api('GET', `/sessions/${n}${'0'.repeat(20)}`),
        platform.api('GET', `/nothing-${n}?q=${n}`),
        platform.api('DELETE', `/sessions/%E0%A4%A${n}`),
        platform.api(n % 2 === 0 ? 'PROPFIND' : 'MKCOL', `/${n}`),
        fetch(`${platform.url}/x${n}`, { headers: { authorization: `Bearer ${n}` } }),
      ]);
    await ask(0);
    await ask(1);
    const seriesOf = async () => (await scrape()).filter((line) => line.startsWith('bullpen_http') || line.startsWith('bullpen_problems')).length;
    // To ask is a request of a route, too.
    await seriesOf();
    const before = await seriesOf();
    for (let n = 2; n < 30; n++) await ask(n);
    expect(await seriesOf()).toBe(before);
    expect((await scrape()).join('\n')).not.toMatch(/PROPFIND|MKCOL|nothing-/);
  }, 60_000);
});

describe('the trace of a prompt that waits', () => {
  it('goes on with its turn, in the log and in the lines of the runner', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
    const id = await platform.createSession('slow: 15');
    const { body } = await platform.api<{ promptId: string; position: number }>('POST', `/sessions/${id}/prompts`, { text: 'run: true' }, { traceparent });
    expect(body.position).toBe(1);
    const watcher = Watcher.follow(platform, id);
    await eventually('two turns end', 60_000, () => watcher.events.filter(({ type }) => type === 'TurnEnded').length === 2);
    const started = watcher.events.filter(({ type }) => type === 'TurnStarted');
    expect(started.map((event) => event.traceparent === traceparent)).toEqual([false, true]);
    expect(watcher.events.filter(({ type }) => type === 'AgentStarted').map((event) => event.traceparent === traceparent)).toEqual([false, true]);

    const sandboxId = sandboxIdOf(id, 1);
    const log = readFileSync(join(platform.home, 'sandboxes', sandboxId, 'log.0'), 'utf8');
    const ofTrace = log.split('\n').filter((line) => line.includes(traceId)).map((line) => JSON.parse(line) as object);
    const turnId = started[1]?.data['turnId'];
    for (const line of ofTrace) expect(line).toMatchObject({ sessionId: id, sandboxId, generation: 1, turnId, traceparent });
    expect(ofTrace).toContainEqual(expect.objectContaining({ msg: 'turn finished', outcome: 'completed' }));
  }, 120_000);
});
