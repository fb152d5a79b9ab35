import { setTimeout as delay } from 'node:timers/promises';

import { connectServerHealth, type ServerHealth } from '@bullpen/event-log';

const INTERVAL_MS = 2_000;

export interface NatsWatchOptions {
  readonly url: string;
  /** Of the user `admin`. */
  readonly password: string;
  /** The server answers, and stores nothing any more. Told again at each look for as long as that is so. */
  readonly onAilment: (why: string) => Promise<void>;
}

export interface NatsWatch {
  stop(): Promise<void>;
}

/** Looks after a server that runs: one whose disk was full once goes on refusing everything, and says so only when asked. */
export function watchNats(options: NatsWatchOptions): NatsWatch {
  const stopping = new AbortController();
  const done = watch(options, stopping.signal);
  return {
    stop: async () => {
      stopping.abort();
      await done;
    },
  };
}

async function watch({ url, password, onAilment }: NatsWatchOptions, signal: AbortSignal): Promise<void> {
  let health: ServerHealth | null = null;
  while (!signal.aborted) {
    // One that was taken over may not know the user who asks: it is then asked in vain until it is started anew.
    health ??= await connectServerHealth({ url, password }).catch(() => null);
    const ailment = await health?.ailment();
    if (ailment) await onAilment(ailment);
    await delay(INTERVAL_MS, undefined, { signal }).catch(() => undefined);
  }
  await health?.close();
}
