import { toast } from 'sonner';

import { Button } from '../../components/button.js';
import { Dialog } from '../../components/dialog.js';
import { explain } from '../../components/states.js';
import { useDelete } from './session-calls.js';

interface DeleteDialogProps {
  readonly sessionId: string;
  readonly title: string;
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly onDeleted: () => void;
}

/** The one action without an undo: it asks first, and says what goes. */
export function DeleteDialog({ sessionId, title, isOpen, onOpenChange, onDeleted }: DeleteDialogProps) {
  const remove = useDelete(sessionId);
  const confirm = (): void =>
    remove.mutate(undefined, {
      onSuccess: () => {
        toast('Session deleted');
        onDeleted();
      },
      onError: (error) => toast.error('The session was not deleted', { description: explain(error) }),
    });
  return (
    <Dialog
      isOpen={isOpen}
      onOpenChange={onOpenChange}
      title="Delete this session?"
      description={`“${title}” is deleted for good: its conversation, changes and files are erased. Branches that were pushed stay.`}
    >
      <div className="flex justify-end gap-2 p-4">
        <Button onClick={() => onOpenChange(false)}>Keep it</Button>
        <Button kind="danger" aria-disabled={remove.isPending} onClick={() => (remove.isPending ? undefined : confirm())}>
          {remove.isPending ? 'Deleting…' : 'Delete for good'}
        </Button>
      </div>
    </Dialog>
  );
}
