import { openDB } from 'idb';
import type { DBSchema } from 'idb';
import { monotonicFactory } from 'ulid';

import { ApiError, callApi } from '../../lib/api.js';
import { Outbox } from './outbox.js';
import type { OutboxStorage, SendResult } from './outbox.js';
import type { OutboxEntry } from './outbox-entries.js';

interface OutboxSchema extends DBSchema {
  prompts: { key: string; value: OutboxEntry };
}

const DATABASE = 'bullpen.outbox';
const VERSION = 1;
/** Signed out, or too slow: it is not the prompt that was refused. */
const NOT_ABOUT_THE_PROMPT = [401, 408];

const channel = new BroadcastChannel(DATABASE);

/** The outbox of this tab; all tabs of this browser share what is stored. */
export const outbox = new Outbox({
  storage: storageOfBrowser(),
  send: sendPrompt,
  exclusively,
  announce: () => channel.postMessage(null),
  schedule: (work, delayMs) => setTimeout(work, delayMs),
  nextKey: monotonicFactory(),
});

channel.addEventListener('message', () => void outbox.reload());
void outbox.resume();

async function sendPrompt({ key, sessionId, text }: OutboxEntry): Promise<SendResult> {
  try {
    const answer = await callApi<PromptAnswer>('POST', `/sessions/${sessionId}/prompts`, { body: { text }, idempotencyKey: key });
    return { is: 'accepted', ...answer };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const { code, message } = error;
    return { is: error.isUnclear || NOT_ABOUT_THE_PROMPT.includes(error.status) ? 'unclear' : 'refused', error: { code, message } };
  }
}

interface PromptAnswer {
  readonly promptId: string;
  readonly position: number;
  readonly head: string;
}

/** Without locks (a page that is not served over a safe line) two tabs may send the same entry: with the same key it counts once. */
async function exclusively(sessionId: string, work: () => Promise<void>): Promise<void> {
  if (!('locks' in navigator)) return work();
  await navigator.locks.request(`${DATABASE}.${sessionId}`, work);
}

/** IndexedDB; where the browser has none to give, prompts last as long as the page. */
function storageOfBrowser(): OutboxStorage {
  const memory = new Map<string, OutboxEntry>();
  const opened = openDB<OutboxSchema>(DATABASE, VERSION, {
    upgrade: (database) => void database.createObjectStore('prompts', { keyPath: 'key' }),
  }).catch(() => null);
  return {
    all: async () => (await opened)?.getAll('prompts') ?? [...memory.values()],
    put: async (entry) => {
      const database = await opened;
      if (database === null) memory.set(entry.key, entry);
      else await database.put('prompts', entry);
    },
    remove: async (key) => {
      memory.delete(key);
      await (await opened)?.delete('prompts', key);
    },
  };
}
