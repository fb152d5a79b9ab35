import type { ErrorComponentProps } from '@tanstack/react-router';

import { ErrorState } from '../components/states.js';

/** When a page broke, the rest of the dashboard stays. */
export function RouteError({ error, reset }: ErrorComponentProps) {
  return (
    <div className="m-auto w-full max-w-[560px]">
      <ErrorState title="This page broke" error={error} onRetry={reset} />
    </div>
  );
}
