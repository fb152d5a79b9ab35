import { Pencil } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { toast } from 'sonner';

import { MAX_TITLE_CHARS } from '@bullpen/contracts';

import { IconButton } from '../../components/icon-button.js';
import { explain } from '../../components/states.js';
import { FIELD } from '../../components/text-field.js';
import { classNames } from '../../lib/class-names.js';
import { useRename } from './session-calls.js';

export interface TitleFieldProps {
  readonly sessionId: string;
  readonly title: string;
  readonly isEditing: boolean;
  readonly onEditing: (isEditing: boolean) => void;
}

/** The title, edited in place: Enter keeps, Escape forgets, leaving the field keeps. What was typed is shown until the platform says the same. */
export function TitleField({ sessionId, title, isEditing, onEditing }: TitleFieldProps) {
  const rename = useRename(sessionId);
  const shown = rename.isPending ? rename.variables : title;
  const keep = (next: string): void => {
    onEditing(false);
    if (next === '' || next === title) return;
    rename.mutate(next, { onError: (error) => toast.error('The title was not changed', { description: explain(error) }) });
  };
  if (isEditing) return <TitleInput title={shown} onKeep={keep} onForget={() => onEditing(false)} />;
  return (
    <>
      <h1 className="min-w-0 truncate text-lead font-semibold" title={shown}>
        {shown}
      </h1>
      <IconButton label="Edit the title" className="max-md:hidden" onClick={() => onEditing(true)}>
        <Pencil size={14} aria-hidden />
      </IconButton>
    </>
  );
}

interface TitleInputProps {
  readonly title: string;
  readonly onKeep: (title: string) => void;
  readonly onForget: () => void;
}

function TitleInput({ title, onKeep, onForget }: TitleInputProps) {
  const [text, setText] = useState(title);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  return (
    <input
      ref={field}
      aria-label="Title"
      value={text}
      maxLength={MAX_TITLE_CHARS}
      className={classNames(FIELD, 'h-8 min-w-0 flex-1 text-lead font-semibold pointer-coarse:h-11')}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => onKeep(text.trim())}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onKeep(text.trim());
        if (event.key === 'Escape') onForget();
        if (event.key === 'Escape') event.stopPropagation();
      }}
    />
  );
}
