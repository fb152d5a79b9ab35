import type { SessionEvent } from '@bullpen/contracts';
import { BATCH_BYTES, EVENTS_PER_BATCH } from '@bullpen/sync-protocol';

export interface EventBatch {
  readonly events: readonly SessionEvent[];
  /** Characters of its JSON: close enough to bytes for the bounds that it serves. */
  readonly size: number;
}

/** Cuts events into batches of at most EVENTS_PER_BATCH events and BATCH_BYTES; a larger event goes alone. */
export function batchesOf(events: readonly SessionEvent[]): EventBatch[] {
  const batches: EventBatch[] = [];
  let current: SessionEvent[] = [];
  let size = 0;
  for (const event of events) {
    const eventSize = JSON.stringify(event).length;
    if (current.length > 0 && (current.length >= EVENTS_PER_BATCH || size + eventSize > BATCH_BYTES)) {
      batches.push({ events: current, size });
      current = [];
      size = 0;
    }
    current.push(event);
    size += eventSize;
  }
  if (current.length > 0) batches.push({ events: current, size });
  return batches;
}
