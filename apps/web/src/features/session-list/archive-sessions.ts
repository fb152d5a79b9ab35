import { ulid } from 'ulid';

import { callApi } from '../../lib/api.js';

/** At once; a browser would queue more of them itself. */
const MAX_AT_ONCE = 5;

export interface ArchiveResult {
  readonly done: readonly string[];
  readonly failed: readonly { readonly id: string; readonly error: unknown }[];
}

/** Archives sessions or brings them back, each for itself: those that fail stay as they are. */
export async function setArchived(ids: readonly string[], isArchived: boolean): Promise<ArchiveResult> {
  const done: string[] = [];
  const failed: { id: string; error: unknown }[] = [];
  for (let start = 0; start < ids.length; start += MAX_AT_ONCE) {
    const step = ids.slice(start, start + MAX_AT_ONCE).map(async (id) => {
      try {
        await callApi('POST', `/sessions/${id}/${isArchived ? 'archive' : 'unarchive'}`, { idempotencyKey: ulid() });
        done.push(id);
      } catch (error) {
        failed.push({ id, error });
      }
    });
    await Promise.all(step);
  }
  return { done, failed };
}
