import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import { ApiError } from '../lib/api.js';
import { classNames } from '../lib/class-names.js';
import { Button } from './button.js';

/** Stands where content will stand, in its size. `label` is read aloud once, by the one that has it. */
export function Skeleton({ className, label }: { readonly className: string; readonly label?: string }) {
  return (
    <div className={classNames('animate-pulse rounded-sm bg-raised', className)}>
      {label === undefined ? null : <output className="sr-only">{label}</output>}
    </div>
  );
}

/** Nothing here, and what would bring something. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-10 text-center">
      <p className="font-medium">{title}</p>
      {children === undefined ? null : <div className="max-w-[420px] text-muted">{children}</div>}
    </div>
  );
}

/** What failed, why, and the way on. */
export function ErrorState({ title, error, onRetry }: { readonly title: string; readonly error: unknown; readonly onRetry?: () => void }) {
  return (
    <div role="alert" className="m-4 flex flex-col items-start gap-2 rounded-md border border-border bg-surface p-4">
      <p className="flex items-center gap-2 font-medium text-error">
        <CircleAlert size={16} aria-hidden />
        {title}
      </p>
      <p className="text-muted">{explain(error)}</p>
      {onRetry === undefined ? null : <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

/** For a person: what the API said, else what can be said. */
export function explain(error: unknown): string {
  if (error instanceof ApiError) return error.message;
  return 'Something went wrong in this page. Try again; if it stays so, reload.';
}
