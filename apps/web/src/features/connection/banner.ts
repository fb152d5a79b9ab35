import type { LinkState } from '../../lib/link-state.js';

/** A line that comes back sooner is nobody's business. */
export const SHOWN_AFTER_MS = 1_500;

export interface Banner {
  readonly kind: 'retrying' | 'failed';
  readonly title: string;
  readonly detail: string;
}

/** Pure; null while there is nothing to say. */
export function bannerOf(link: LinkState, now: number): Banner | null {
  switch (link.status) {
    case 'connecting':
    case 'live':
      return null;
    case 'retrying': {
      if (now - link.since < SHOWN_AFTER_MS) return null;
      const seconds = Math.ceil((link.nextAt - now) / 1_000);
      const next = seconds > 0 ? `next in ${seconds}s` : 'trying now';
      return { kind: 'retrying', title: 'Reconnecting', detail: `Attempt ${link.attempt} · ${next}` };
    }
    case 'failed':
      return { kind: 'failed', title: 'Not live any more', detail: link.error.message };
  }
}
