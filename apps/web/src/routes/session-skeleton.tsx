import type { ReactNode } from 'react';

import { Skeleton } from '../components/states.js';
import { ListButton } from './list-pane.js';

/** In the places where the page will stand. */
export function SessionSkeleton({ banner = null }: { readonly banner?: ReactNode }) {
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex min-h-12 items-center gap-3 border-b border-border bg-surface px-3 py-2">
        <ListButton />
        <Skeleton className="h-5 w-64 max-w-[60%]" label="Loading the session" />
      </div>
      {banner}
      <div className="mx-auto flex w-full max-w-[760px] flex-1 flex-col gap-4 p-4">
        <Skeleton className="h-16 w-full" />
        <Skeleton className="h-5 w-3/4" />
        <Skeleton className="h-5 w-1/2" />
        <Skeleton className="h-24 w-full" />
      </div>
      <div className="mx-auto w-full max-w-[760px] px-4 pt-2 pb-4">
        <Skeleton className="h-24 w-full" />
      </div>
    </div>
  );
}
