import type { SessionState } from '@bullpen/session-model';

import type { BenchPlatform } from './bench-platform.js';
import type { Load } from './load-runner.js';

export const LOAD_TIMEOUT_MS = 120_000;

export interface LoadResult {
  /** Of each event as it came: when it was made, and how many milliseconds later it was there. */
  readonly made: readonly number[];
  readonly latencies: readonly number[];
  readonly perSecond: number;
}

/** One turn of the load runner, followed by a client. */
export async function throughPlatform(platform: BenchPlatform, id: string, load: Load): Promise<LoadResult> {
  const collector = collect(load.events);
  const { head } = await platform.api<SessionState>('GET', `/sessions/${id}`);
  const socket = await platform.follow(
    id,
    (events) => collector.take(events.filter((event) => event.type === 'AssistantTextAppended').map((event) => String(event.data['text']))),
    { after: head },
  );
  await platform.api('POST', `/sessions/${id}/prompts`, { text: JSON.stringify(load) });
  const result = await collector.done;
  await turnEnded(platform, id);
  socket.disconnect();
  return result;
}

export function collect(expected: number): { take: (texts: readonly string[]) => void; done: Promise<LoadResult> } {
  const [made, latencies]: [number[], number[]] = [[], []];
  let finish: (result: LoadResult) => void = () => undefined;
  const done = new Promise<LoadResult>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${latencies.length} of ${expected} events came`)), LOAD_TIMEOUT_MS);
    finish = (result) => {
      clearTimeout(timer);
      resolve(result);
    };
  });
  const take = (texts: readonly string[]): void => {
    const now = performance.timeOrigin + performance.now();
    for (const text of texts) {
      const at = Number.parseFloat(text);
      made.push(at);
      latencies.push(now - at);
    }
    const perSecond = (latencies.length / (now - (made[0] ?? now))) * 1_000;
    if (latencies.length >= expected) finish({ made, latencies, perSecond });
  };
  return { take, done };
}

async function turnEnded(platform: BenchPlatform, id: string): Promise<void> {
  for (const end = Date.now() + LOAD_TIMEOUT_MS; Date.now() < end; ) {
    if ((await platform.api<SessionState>('GET', `/sessions/${id}`)).runningTurnId === null) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the turn of the load did not end');
}
