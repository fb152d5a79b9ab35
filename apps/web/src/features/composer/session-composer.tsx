import { ArchiveRestore } from 'lucide-react';
import { useId, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { toast } from 'sonner';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { useSessionState, useSessionStore } from '../../lib/session-context.js';
import { describeShortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { readDraft, setDraft, useDraft } from './drafts.js';
import { outbox } from './outbox-browser.js';
import { knownPrompts } from './outbox-entries.js';
import { PromptField, SEND } from './prompt-field.js';
import { promptProblem } from './prompt-size.js';
import { useUnarchive } from './queue-calls.js';
import { QueuePanel } from './queue-panel.js';
import { StopButton } from './stop-button.js';

/** What waits, and the field for what is next; usable at any moment, also while a turn runs or nobody answers. */
export function SessionComposer({ sessionId }: { readonly sessionId: string }) {
  const isArchived = useSessionState((state) => state.archived);
  const [editedId, setEditedId] = useState<string | null>(null);
  const queue = useSessionState((state) => state.queue);
  return (
    <section aria-label="Prompts" className="mx-auto mt-auto flex w-full max-w-[760px] flex-col gap-2 px-4 pt-2 pb-[max(16px,env(safe-area-inset-bottom))]">
      <QueuePanel sessionId={sessionId} editedId={editedId} onEdit={setEditedId} />
      {isArchived ? <ArchivedNote sessionId={sessionId} /> : <PromptForm sessionId={sessionId} onEditLast={() => setEditedId(queue.at(-1)?.promptId ?? null)} />}
    </section>
  );
}

interface PromptFormProps {
  readonly sessionId: string;
  readonly onEditLast: () => void;
}

function PromptForm({ sessionId, onEditLast }: PromptFormProps) {
  const place = `session.${sessionId}` as const;
  const text = useDraft(place);
  const isBusy = useSessionState((state) => state.runningTurnId !== null || state.queue.length > 0);
  const { send, problem, forgetProblem } = useSend(sessionId);
  const formId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  useShortcut(SEND, () => (document.activeElement === field.current ? send() : false));
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowUp' || text !== '') return;
    event.preventDefault();
    onEditLast();
  };
  return (
    <form
      id={formId}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <PromptField
        ref={field}
        label="Message"
        placeholder={isBusy ? 'What is next? It waits for its turn.' : 'What is next?'}
        text={text}
        minHeight="one-line"
        problem={problem}
        onKeyDown={onKeyDown}
        onChange={(next) => {
          setDraft(place, next);
          forgetProblem();
        }}
      >
        <StopButton sessionId={sessionId} />
        <Button kind="primary" type="submit" className="ml-auto">
          {isBusy ? 'Queue' : 'Send'}
          <kbd className="text-label pointer-coarse:hidden">{describeShortcut(SEND)}</kbd>
        </Button>
      </PromptField>
    </form>
  );
}

/** Stored first, then the draft goes, then it is sent: at no moment is the text in no place. */
function useSend(sessionId: string) {
  const store = useSessionStore();
  const [problem, setProblem] = useState<string | null>(null);
  const isWriting = useRef(false);
  const write = async (text: string): Promise<void> => {
    isWriting.current = true;
    try {
      await outbox.write({ sessionId, text, known: knownPrompts(store.getSnapshot().state) });
      // Somebody may have typed on.
      if (readDraft(`session.${sessionId}`) === text) setDraft(`session.${sessionId}`, '');
    } catch (error) {
      setProblem(`This browser could not store the prompt, so it was not sent: ${String(error)}. Free some space and try again.`);
    } finally {
      isWriting.current = false;
    }
  };
  const send = (): void => {
    const text = readDraft(`session.${sessionId}`);
    const found = promptProblem(text);
    setProblem(found);
    if (found === null && !isWriting.current) void write(text);
  };
  return { send, problem, forgetProblem: () => setProblem(null) };
}

function ArchivedNote({ sessionId }: { readonly sessionId: string }) {
  const unarchive = useUnarchive(sessionId);
  const bringBack = (): void =>
    unarchive.mutate(undefined, { onError: (error) => toast.error('The session is still archived', { description: explain(error) }) });
  return (
    <div className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-border bg-surface px-4 py-2">
      <p className="text-muted">This session is archived: nothing runs in it.</p>
      <Button aria-disabled={unarchive.isPending} onClick={() => (unarchive.isPending ? undefined : bringBack())}>
        <ArchiveRestore size={14} aria-hidden />
        {unarchive.isPending ? 'Bringing it back…' : 'Unarchive'}
      </Button>
    </div>
  );
}
