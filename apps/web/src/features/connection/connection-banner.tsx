import { CircleX, WifiOff } from 'lucide-react';
import { useEffect } from 'react';

import { Button } from '../../components/button.js';
import { useSessionStore, useSessionView } from '../../lib/session-context.js';
import { useNow } from '../../lib/use-now.js';
import { bannerOf } from './banner.js';

const TICK_MS = 250;

/** Shown once the line has been down for a moment: what is tried, when, and a way to try at once. */
export function ConnectionBanner({ onRestart }: { readonly onRestart: () => void }) {
  const store = useSessionStore();
  const link = useSessionView((view) => view.link);
  const isDown = link.status === 'retrying' || link.status === 'failed';
  const now = useNow(TICK_MS, isDown);
  useRetryWhenBack(store.retryNow);
  const banner = bannerOf(link, now);
  if (banner === null) return null;
  const Icon = banner.kind === 'retrying' ? WifiOff : CircleX;
  return (
    <div
      role={banner.kind === 'retrying' ? 'status' : 'alert'}
      className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 border-b border-border bg-raised px-4 py-1 text-ui"
    >
      <span className={banner.kind === 'retrying' ? 'flex items-center gap-2 font-medium text-warn' : 'flex items-center gap-2 font-medium text-error'}>
        <Icon size={16} aria-hidden />
        {banner.title}
      </span>
      <span aria-hidden={banner.kind === 'retrying'} className="min-w-0 flex-1 text-muted">
        {banner.detail}
      </span>
      {banner.kind === 'retrying' ? (
        <Button onClick={store.retryNow}>Retry now</Button>
      ) : (
        <Button onClick={onRestart}>Try again</Button>
      )}
    </div>
  );
}

/** A machine that wakes, a tab that is shown again, a network that came back: no reason to wait. */
function useRetryWhenBack(retry: () => void): void {
  useEffect(() => {
    const onShown = (): void => {
      if (document.visibilityState === 'visible') retry();
    };
    window.addEventListener('online', retry);
    window.addEventListener('pageshow', retry);
    document.addEventListener('visibilitychange', onShown);
    return () => {
      window.removeEventListener('online', retry);
      window.removeEventListener('pageshow', retry);
      document.removeEventListener('visibilitychange', onShown);
    };
  }, [retry]);
}
