import type { Attributes } from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';

/** What a label may say: one of these; or, where the names are the code's own and many, any, up to so many different ones. */
export type LabelRule = readonly string[] | { readonly atMost: number };
export type LabelRules = Readonly<Record<string, LabelRule>>;
/** What the rule of its label does not allow is counted as `other`: nobody outside can make series. */
export type LabelValues<Rules extends LabelRules> = { readonly [Name in keyof Rules]: string };

export interface InstrumentOptions<Rules extends LabelRules> {
  /** As Prometheus wants it: `bullpen_…`, base units, `_seconds`, `_total`. */
  readonly name: string;
  readonly help: string;
  readonly labels: Rules;
}

export interface Counter<Rules extends LabelRules> {
  add(labels: LabelValues<Rules>, by?: number): void;
}

export interface Histogram<Rules extends LabelRules> {
  /** What is no number is left out; a time before zero, which two clocks may make, is zero. */
  record(seconds: number, labels: LabelValues<Rules>): void;
}

export interface Gauge {
  /** Asks `read` at every scrape, and shows the sum over all that are followed. Ends with the call of what it returns. */
  follow(read: () => number): () => void;
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** Bounds of buckets: for what a person does not notice, and for what they wait for. */
export const QUICK_SECONDS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
export const SLOW_SECONDS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300];

const OTHER = 'other';
/** Combinations of closed label sets that begin at 0, so that the first increase is seen as one. */
const MAX_ZEROES = 32;

const exporter = new PrometheusExporter({ preventServerStart: true });
const serializer = new PrometheusSerializer('', false, undefined, true, true);
const meter = new MeterProvider({ readers: [exporter] }).getMeter('bullpen');

/** Everything this process has counted and measured so far, in Prometheus' text format. */
export async function metricsText(): Promise<string> {
  const { resourceMetrics } = await exporter.collect();
  return serializer.serialize(resourceMetrics);
}

/** One for the whole process; of a name, make one only. */
export function counter<const Rules extends LabelRules>({ name, help, labels }: InstrumentOptions<Rules>): Counter<Rules> {
  const instrument = meter.createCounter(name, { description: help });
  const allowed = allowedBy(labels);
  for (const zero of zeroes(labels)) instrument.add(0, zero);
  return { add: (values, by = 1) => instrument.add(by, allowed(values)) };
}

/** One for the whole process; of a name, make one only. */
export function histogram<const Rules extends LabelRules>(
  { name, help, labels }: InstrumentOptions<Rules>,
  buckets: readonly number[],
): Histogram<Rules> {
  const instrument = meter.createHistogram(name, { description: help, advice: { explicitBucketBoundaries: [...buckets] } });
  const allowed = allowedBy(labels);
  return {
    record: (seconds, values) => {
      if (Number.isFinite(seconds)) instrument.record(Math.max(0, seconds), allowed(values));
    },
  };
}

/** One for the whole process; of a name, make one only. */
export function gauge({ name, help }: Omit<InstrumentOptions<LabelRules>, 'labels'>): Gauge {
  const readers = new Set<() => number>();
  meter.createObservableGauge(name, { description: help }).addCallback((result) => result.observe([...readers].reduce((sum, read) => sum + read(), 0)));
  return {
    follow: (read) => {
      const own = (): number => read();
      readers.add(own);
      return () => void readers.delete(own);
    },
  };
}

/** From a time of an event's, to now. */
export function secondsSince(at: string): number {
  return (Date.now() - Date.parse(at)) / 1_000;
}

function allowedBy<Rules extends LabelRules>(rules: Rules): (values: LabelValues<Rules>) => Attributes {
  const allow = Object.entries(rules).map(([name, rule]) => [name, 'atMost' in rule ? firstOnes(rule.atMost) : oneOf(rule)] as const);
  return (values) => Object.fromEntries(allow.map(([name, isAllowed]) => [name, isAllowed(values[name] ?? '') ? values[name] : OTHER]));
}

function oneOf(rule: readonly string[]): (value: string) => boolean {
  const known = new Set(rule);
  return (value) => known.has(value);
}

function firstOnes(limit: number): (value: string) => boolean {
  const seen = new Set<string>();
  return (value) => {
    if (seen.size < limit) seen.add(value);
    return seen.has(value);
  };
}

function zeroes(rules: LabelRules): readonly Attributes[] {
  let made: readonly Attributes[] = [{}];
  for (const [name, rule] of Object.entries(rules)) {
    const values = 'atMost' in rule ? [] : rule;
    made = made.flatMap((before) => values.map((value) => ({ ...before, [name]: value })));
  }
  return made.slice(0, MAX_ZEROES);
}

meter
  .createObservableCounter('process_cpu_seconds_total', { description: 'Time on the processor, user and system.' })
  .addCallback((result) => {
    const { user, system } = process.cpuUsage();
    result.observe((user + system) / 1_000_000);
  });
meter
  .createObservableGauge('process_resident_memory_bytes', { description: 'Memory of the process.' })
  .addCallback((result) => result.observe(process.memoryUsage.rss()));
meter
  .createObservableGauge('process_start_time_seconds', { description: 'When the process began, since 1970.' })
  .addCallback((result) => result.observe(Math.round(performance.timeOrigin) / 1_000));
meter
  .createObservableCounter('nodejs_eventloop_active_seconds_total', { description: 'Time in which the event loop was busy; its rate is how full it is.' })
  .addCallback((result) => result.observe(performance.eventLoopUtilization().active / 1_000));
