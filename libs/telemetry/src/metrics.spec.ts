import { describe, expect, it } from '@jest/globals';

import { QUICK_SECONDS, counter, gauge, histogram, metricsText } from './index.js';

const lines = async (name: string): Promise<string[]> => (await metricsText()).split('\n').filter((line) => line.startsWith(name));

describe('counter', () => {
  it('begins at zero for every value that its labels may have', async () => {
    const turns = counter({ name: 'test_turns_total', help: 'Turns.', labels: { outcome: ['completed', 'failed'] } });
    turns.add({ outcome: 'failed' });
    turns.add({ outcome: 'failed' }, 2);
    expect((await lines('test_turns_total')).toSorted()).toEqual(['test_turns_total{outcome="completed"} 0', 'test_turns_total{outcome="failed"} 3']);
  });

  it('counts as other what its labels may not say', async () => {
    const asked = counter({ name: 'test_asked_total', help: 'Asked.', labels: { method: ['GET'], code: { atMost: 2 } } });
    for (let n = 0; n < 1_000; n++) asked.add({ method: `M${n}`, code: `c${n}"\n` });
    const found = await lines('test_asked_total');
    expect(found).toHaveLength(3);
    expect(found).toContain('test_asked_total{method="other",code="other"} 998');
  });

  it('without labels begins at zero too', async () => {
    counter({ name: 'test_plain_total', help: 'Plain.', labels: {} });
    expect(await lines('test_plain_total')).toEqual(['test_plain_total 0']);
  });
});

describe('histogram', () => {
  it('has its buckets, and takes no times that are none', async () => {
    const waited = histogram({ name: 'test_waited_seconds', help: 'Waited.', labels: { lane: ['core'] } }, QUICK_SECONDS);
    for (const seconds of [0.003, -5, Number.NaN, Number.POSITIVE_INFINITY]) waited.record(seconds, { lane: 'core' });
    const found = await lines('test_waited_seconds');
    expect(found).toContain('test_waited_seconds_count{lane="core"} 2');
    expect(found).toContain('test_waited_seconds_sum{lane="core"} 0.003');
    expect(found).toContain('test_waited_seconds_bucket{lane="core",le="0.0025"} 1');
    expect(found).toHaveLength(QUICK_SECONDS.length + 3);
  });
});

describe('gauge', () => {
  it('asks everybody it follows, and is zero when there is nobody', async () => {
    const open = gauge({ name: 'test_open', help: 'Open.' });
    const ends = [2, 3].map((value) => open.follow(() => value));
    expect(await lines('test_open')).toEqual(['test_open 5']);
    for (const end of ends) end();
    expect(await lines('test_open')).toEqual(['test_open 0']);
  });
});

it('says how the process itself is', async () => {
  const text = await metricsText();
  for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_start_time_seconds', 'nodejs_eventloop_active_seconds_total']) {
    expect(text).toMatch(new RegExp(`^# TYPE ${name} (counter|gauge)\n${name} [0-9.e+]+$`, 'm'));
  }
});
