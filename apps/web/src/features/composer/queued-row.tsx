import { ArrowDown, ArrowUp, Pencil, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { KeyboardEvent } from 'react';
import { toast } from 'sonner';

import type { QueuedPrompt } from '@bullpen/session-model';

import { Button } from '../../components/button.js';
import { IconButton } from '../../components/icon-button.js';
import { explain } from '../../components/states.js';
import { FIELD } from '../../components/text-field.js';
import { classNames } from '../../lib/class-names.js';
import { matchesShortcut } from '../../lib/shortcuts.js';
import { SEND } from './prompt-field.js';
import { promptProblem } from './prompt-size.js';
import { useChangePrompt } from './queue-calls.js';
import type { QueuePlace } from './queue-place.js';

export interface QueuedRowProps {
  readonly sessionId: string;
  readonly prompt: QueuedPrompt;
  readonly place: QueuePlace;
  readonly isEditing: boolean;
  readonly onEdit: (promptId: string | null) => void;
  readonly onRemove: () => void;
}

/** One prompt that waits: what it says, whose it is, and what can be done with it until it begins. */
export function QueuedRow({ sessionId, prompt, place, isEditing, onEdit, onRemove }: QueuedRowProps) {
  const { promptId, author } = prompt;
  const change = useChangePrompt(sessionId);
  // Until the session says so itself.
  const text = change.isPending ? (change.variables.text ?? prompt.text) : prompt.text;
  const keep = (next: string): void => {
    onEdit(null);
    if (next === prompt.text) return;
    change.mutate(
      { promptId, text: next },
      { onError: (error) => toast.error('The prompt was not changed', { description: explain(error) }) },
    );
  };
  const move = (before: string | null | undefined): void => {
    if (before === undefined || change.isPending) return;
    change.mutate({ promptId, before }, { onError: (error) => toast.error('The prompt was not moved', { description: explain(error) }) });
  };
  if (isEditing) return <EditedRow text={prompt.text} onKeep={keep} onForget={() => onEdit(null)} />;
  return (
    <li aria-busy={change.isPending} className="flex items-start gap-2 py-1 pr-2 pl-4 max-md:flex-wrap">
      <p className="min-w-0 flex-1 py-1 max-md:basis-full">
        <span className="text-muted">
          {place.position}. {author.name}:{' '}
        </span>
        <span className="line-clamp-2 break-words whitespace-pre-wrap">{text}</span>
      </p>
      <div className="flex max-md:ml-auto">
        <IconButton label="Move up" aria-disabled={place.up === undefined} onClick={() => move(place.up)} className="aria-disabled:opacity-40">
          <ArrowUp size={14} aria-hidden />
        </IconButton>
        <IconButton label="Move down" aria-disabled={place.down === undefined} onClick={() => move(place.down)} className="aria-disabled:opacity-40">
          <ArrowDown size={14} aria-hidden />
        </IconButton>
        <IconButton label="Edit" onClick={() => onEdit(promptId)}>
          <Pencil size={14} aria-hidden />
        </IconButton>
        <IconButton label="Remove from the queue" onClick={onRemove}>
          <X size={14} aria-hidden />
        </IconButton>
      </div>
    </li>
  );
}

interface EditedRowProps {
  readonly text: string;
  readonly onKeep: (text: string) => void;
  readonly onForget: () => void;
}

/** In place: the chord that sends keeps it, Escape forgets it. */
function EditedRow({ text: before, onKeep, onForget }: EditedRowProps) {
  const [text, setText] = useState(before);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const problem = promptProblem(text);
  const keep = (): void => (problem === null ? onKeep(text) : undefined);
  const onKeyDown = (event: KeyboardEvent): void => {
    const isKept = matchesShortcut(event.nativeEvent, SEND, null);
    if (!isKept && event.key !== 'Escape') return;
    event.preventDefault();
    if (isKept) keep();
    else onForget();
  };
  return (
    <li className="flex flex-col gap-2 p-2">
      <textarea
        ref={field}
        aria-label="Queued prompt"
        aria-invalid={problem !== null}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className={classNames(FIELD, 'field-sizing-content max-h-[24dvh] w-full resize-none py-2')}
      />
      <div className="flex items-center justify-end gap-2">
        {problem === null ? null : (
          <p role="alert" className="mr-auto pl-2 text-error">
            {problem}
          </p>
        )}
        <Button onClick={onForget}>Cancel</Button>
        <Button aria-disabled={problem !== null} onClick={keep}>
          Save
        </Button>
      </div>
    </li>
  );
}
