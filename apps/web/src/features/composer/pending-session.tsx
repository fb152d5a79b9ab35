import { CircleX, LoaderCircle } from 'lucide-react';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';

export interface PendingSessionProps {
  readonly prompt: string;
  /** Null while the platform is at it. */
  readonly error: unknown;
  readonly onRetry: () => void;
  readonly onEdit: () => void;
}

/** The session as it will look, while the platform reads the repository and makes it. */
export function PendingSession({ prompt, error, onRetry, onEdit }: PendingSessionProps) {
  return (
    <section aria-labelledby="pending-title" className="mx-auto flex w-full max-w-[760px] flex-col gap-4 p-4">
      <h1 id="pending-title" className="sr-only">
        New session
      </h1>
      <p className="max-h-[50dvh] overflow-y-auto rounded-md bg-raised px-4 py-3 text-prose break-words whitespace-pre-wrap">{prompt}</p>
      {error === null ? (
        <output className="flex items-center gap-2 text-muted">
          <LoaderCircle size={14} aria-hidden className="animate-spin" />
          Starting: reading the repository…
        </output>
      ) : (
        <div role="alert" className="flex flex-col gap-2">
          <p className="flex items-center gap-2 font-medium text-error">
            <CircleX size={16} aria-hidden className="shrink-0" />
            The session was not started
          </p>
          <p className="text-muted">{explain(error)}</p>
          <div className="flex gap-2">
            <Button kind="primary" onClick={onRetry}>
              Retry
            </Button>
            <Button onClick={onEdit}>Edit</Button>
          </div>
        </div>
      )}
    </section>
  );
}
