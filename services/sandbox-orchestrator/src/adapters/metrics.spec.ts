import { describe, expect, it } from '@jest/globals';

import type { JsonRecord, SessionLane, StoredEvent } from '@bullpen/contracts';
import { metricsText } from '@bullpen/telemetry';

import { evolve, newSandboxedSession } from '../core/sandbox.state.js';
import type { SandboxedSession } from '../core/sandbox.state.js';
import { firstTokenMeasure, measureSandboxEvents } from './metrics.js';

const REASON = { code: 'sandbox.lost', message: 'gone' };
const TURN = { turnId: 't1', attempt: 1 };

const event = (type: string, data: JsonRecord): StoredEvent => ({
  type,
  v: 1,
  at: new Date().toISOString(),
  actor: { kind: 'service', id: 'o', name: 'o' },
  turnId: TURN.turnId,
  data,
});
const fold = (state: SandboxedSession, lane: SessionLane, ...events: readonly StoredEvent[]): SandboxedSession =>
  events.reduce((before, each) => evolve(before, each, { lane, sequence: 1 }), state);

async function valueOf(series: string): Promise<number> {
  const line = (await metricsText()).split('\n').find((text) => text.startsWith(`${series} `));
  return Number(line?.slice(series.length) ?? 0);
}

const started = fold(newSandboxedSession('s'), 'core', event('TurnStarted', { ...TURN, promptId: 'p1' }));
const requested = fold(started, 'sandbox', event('SandboxRequested', { generation: 1, sandboxId: 's-1' }));
const working = fold(requested, 'agent', event('AgentStarted', TURN));

describe('measureSandboxEvents', () => {
  it.each([
    ['bullpen_spawns_total{path="cloned"}', event('SandboxRequested', { generation: 1, sandboxId: 's-1' })],
    ['bullpen_spawn_failures_total{next="retry"}', event('SandboxSpawnFailed', { generation: 1, reason: REASON, retryAt: '2026-11-01T00:00:00.000Z' })],
    ['bullpen_spawn_failures_total{next="none"}', event('SandboxSpawnFailed', { generation: 1, reason: REASON, retryAt: '' })],
    ['bullpen_sandboxes_lost_total{turn="ended"}', event('SandboxLost', { generation: 1, turnId: 't1', turnAttempt: 1, reason: REASON })],
    ['bullpen_sandboxes_lost_total{turn="none"}', event('SandboxLost', { generation: 1, turnId: '', turnAttempt: 0, reason: REASON })],
  ])('counts %s', async (series, appended) => {
    const before = await valueOf(series);
    measureSandboxEvents(requested, [appended]);
    expect(await valueOf(series)).toBe(before + 1);
  });
});

describe('firstTokenMeasure', () => {
  const text = event('AssistantTextAppended', { partId: '1.1', offset: 0, text: 'x' });
  const measured = (): Promise<number> => valueOf('bullpen_first_token_seconds_count{sandbox="cold"}');

  it('measures a turn once, by the first of its answer that is appended', async () => {
    const before = await measured();
    const measure = firstTokenMeasure(() => working);
    measure([event('PlanUpdated', { entries: [] })])();
    expect(await measured()).toBe(before);
    const appended = measure([event('PlanUpdated', { entries: [] }), text]);
    expect(await measured()).toBe(before);
    appended();
    measure([text])();
    expect(await measured()).toBe(before + 1);
  });

  it('leaves alone a turn whose answer began over another link, and one that does not run', async () => {
    const before = await measured();
    firstTokenMeasure(() => fold(working, 'agent', text))([text])();
    firstTokenMeasure(() => fold(working, 'core', event('TurnEnded', { ...TURN, outcome: 'failed' })))([text])();
    firstTokenMeasure(() => undefined)([text])();
    expect(await measured()).toBe(before);
  });
});
