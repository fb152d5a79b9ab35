import { useMutation } from '@tanstack/react-query';
import { ulid } from 'ulid';

import type { QueuedPrompt } from '@bullpen/session-model';

import { callApi } from '../../lib/api.js';

export interface PromptChange {
  readonly promptId: string;
  readonly text?: string;
  /** The waiting prompt to stand before; null: the end of the queue. */
  readonly before?: string | null;
}

/** Of a prompt that waits: what it says, its place, or both. */
export function useChangePrompt(sessionId: string) {
  return useMutation({
    mutationFn: ({ promptId, ...change }: PromptChange) => callApi('PATCH', `/sessions/${sessionId}/prompts/${promptId}`, { body: change }),
  });
}

export function useWithdrawPrompt(sessionId: string) {
  return useMutation({ mutationFn: (promptId: string) => callApi('DELETE', `/sessions/${sessionId}/prompts/${promptId}`) });
}

export interface Withdrawn {
  readonly prompt: QueuedPrompt;
  /** The prompt that stood behind it; null when it was the last. */
  readonly before: string | null;
}

/** Queues again what was withdrawn; in its old place, unless the one behind it has begun meanwhile. */
export function useRequeue(sessionId: string) {
  return useMutation({
    mutationFn: async ({ prompt, before }: Withdrawn) => {
      const { promptId, position } = await callApi<{ readonly promptId: string; readonly position: number }>('POST', `/sessions/${sessionId}/prompts`, {
        body: { text: prompt.text },
        idempotencyKey: ulid(),
      });
      if (before === null || position === 0) return;
      await callApi('PATCH', `/sessions/${sessionId}/prompts/${promptId}`, { body: { before } }).catch(() => undefined);
    },
  });
}

/** Asks the running turn to stop. */
export function useStop(sessionId: string) {
  return useMutation({ mutationFn: () => callApi<{ readonly cancelling: boolean }>('POST', `/sessions/${sessionId}/cancel`, { idempotencyKey: ulid() }) });
}

export function useUnarchive(sessionId: string) {
  return useMutation({ mutationFn: () => callApi('POST', `/sessions/${sessionId}/unarchive`, { idempotencyKey: ulid() }) });
}
