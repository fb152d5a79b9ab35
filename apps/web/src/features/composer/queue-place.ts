import type { QueuedPrompt } from '@bullpen/session-model';

/** Where a prompt stands and can go: `up` and `down` name the prompt to stand before, null the end; undefined where there is no way. */
export interface QueuePlace {
  readonly position: number;
  readonly up: string | undefined;
  readonly down: string | null | undefined;
}

export function placeIn(queue: readonly Pick<QueuedPrompt, 'promptId'>[], index: number): QueuePlace {
  const isLast = index === queue.length - 1;
  return { position: index + 1, up: queue[index - 1]?.promptId, down: isLast ? undefined : (queue[index + 2]?.promptId ?? null) };
}
