import type { ReactNode } from 'react';

import { ListButton } from './list-pane.js';

/** For pages without a header of their own. */
export function PageFrame({ children }: { readonly children: ReactNode }) {
  return (
    <>
      <div className="flex min-h-12 shrink-0 items-center px-3">
        <ListButton />
      </div>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">{children}</div>
    </>
  );
}
