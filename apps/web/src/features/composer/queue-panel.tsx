import { toast } from 'sonner';

import { explain } from '../../components/states.js';
import { useSessionState } from '../../lib/session-context.js';
import { useRequeue, useWithdrawPrompt } from './queue-calls.js';
import type { Withdrawn } from './queue-calls.js';
import { placeIn } from './queue-place.js';
import { QueuedRow } from './queued-row.js';
import { UnsentRow } from './unsent-row.js';
import { useUnseenPrompts } from './use-outbox.js';

export interface QueuePanelProps {
  readonly sessionId: string;
  /** The prompt whose text is being changed. */
  readonly editedId: string | null;
  readonly onEdit: (promptId: string | null) => void;
}

/** The prompts that wait, in order, then those on their way to the platform. */
export function QueuePanel({ sessionId, editedId, onEdit }: QueuePanelProps) {
  const queue = useSessionState((state) => state.queue);
  const unsent = useUnseenPrompts(sessionId);
  const withdraw = useWithdrawWithUndo(sessionId);
  if (queue.length === 0 && unsent.length === 0) return null;
  return (
    <section aria-labelledby="queue-title" className="flex max-h-[34dvh] flex-col overflow-hidden rounded-md border border-border bg-surface">
      <h2 id="queue-title" className="border-b border-border px-4 py-1 text-label font-medium text-muted">
        {queue.length === 0 ? 'On its way' : `Queued ${queue.length}`}
      </h2>
      <ol className="min-h-0 divide-y divide-border overflow-y-auto">
        {queue.map((prompt, index) => (
          <QueuedRow
            key={prompt.promptId}
            sessionId={sessionId}
            prompt={prompt}
            place={placeIn(queue, index)}
            isEditing={prompt.promptId === editedId}
            onEdit={onEdit}
            onRemove={() => withdraw({ prompt, before: queue[index + 1]?.promptId ?? null })}
          />
        ))}
        {unsent.map((entry, index) => (
          <UnsentRow key={entry.key} entry={entry} position={queue.length + index + 1} />
        ))}
      </ol>
    </section>
  );
}

function useWithdrawWithUndo(sessionId: string): (withdrawn: Withdrawn) => void {
  const withdraw = useWithdrawPrompt(sessionId);
  const requeue = useRequeue(sessionId);
  const undo = (withdrawn: Withdrawn): void =>
    requeue.mutate(withdrawn, {
      onError: (error) =>
        toast.error('The prompt is not back in the queue', { description: explain(error), action: { label: 'Retry', onClick: () => undo(withdrawn) } }),
    });
  return (withdrawn) =>
    withdraw.mutate(withdrawn.prompt.promptId, {
      onSuccess: () => toast('Prompt removed from the queue', { action: { label: 'Undo', onClick: () => undo(withdrawn) } }),
      onError: (error) => toast.error('The prompt still waits, or has begun', { description: explain(error) }),
    });
}
