import { Suspense, lazy } from 'react';

import type { ChangesProps } from './changes-props.js';
import { ChangesSkeleton } from './changes-skeleton.js';

/** Its library comes when the tab is opened first. */
const ChangesView = lazy(async () => ({ default: (await import('./changes-view.js')).ChangesView }));

/** The diff of the session or of one turn, file by file. Needs a SessionProvider above it. */
export function Changes(props: ChangesProps) {
  return (
    <Suspense fallback={<ChangesSkeleton />}>
      <ChangesView {...props} />
    </Suspense>
  );
}
