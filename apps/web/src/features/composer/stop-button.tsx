import { LoaderCircle, Square } from 'lucide-react';
import { toast } from 'sonner';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { useSessionState } from '../../lib/session-context.js';
import { describeShortcut, isTyping } from '../../lib/shortcuts.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { useStop } from './queue-calls.js';

const ESCAPE: Shortcut = { key: 'Escape', scope: 'Session', label: 'Leave the field; outside of fields, stop the turn' };

/** Shown while a turn runs. Overlays take Escape first, then the field that has the focus, then this. */
export function StopButton({ sessionId }: { readonly sessionId: string }) {
  const turnId = useSessionState((state) => state.runningTurnId);
  const isCancelling = useSessionState((state) => state.turns.findLast((turn) => turn.turnId === state.runningTurnId)?.state === 'cancelling');
  const stop = useStop(sessionId);
  const isStopping = stop.isPending || isCancelling;
  const ask = (): void => {
    if (!isStopping) stop.mutate(undefined, { onError: (error) => toast.error('The turn was not stopped', { description: explain(error) }) });
  };
  useShortcut(ESCAPE, () => {
    const focused = document.activeElement;
    if (focused instanceof HTMLElement && isTyping(focused)) return focused.blur();
    return turnId === null ? false : ask();
  });
  if (turnId === null) return null;
  return (
    <Button aria-disabled={isStopping} onClick={ask}>
      {isStopping ? <LoaderCircle size={14} aria-hidden className="animate-spin" /> : <Square size={12} aria-hidden className="fill-current" />}
      {isStopping ? 'Stopping…' : 'Stop'}
      {isStopping ? null : <kbd className="text-label text-faint pointer-coarse:hidden">{describeShortcut(ESCAPE)}</kbd>}
    </Button>
  );
}
