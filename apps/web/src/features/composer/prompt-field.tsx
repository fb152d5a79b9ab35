import { useId } from 'react';
import type { KeyboardEvent, ReactNode, Ref } from 'react';

import { classNames } from '../../lib/class-names.js';
import type { Shortcut } from '../../lib/shortcuts.js';
import { describeSize } from './prompt-size.js';

export const SEND: Shortcut = { key: 'Enter', mod: true, scope: 'Composer', label: 'Start a session, send or queue a prompt' };

export interface PromptFieldProps {
  readonly ref?: Ref<HTMLTextAreaElement>;
  readonly label: string;
  readonly placeholder: string;
  readonly text: string;
  readonly onChange: (text: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent<HTMLTextAreaElement>) => void;
  /** Why it cannot be sent, once somebody tried. */
  readonly problem: string | null;
  readonly minHeight: 'one-line' | 'roomy';
  /** The row below: what is chosen, and what sends. */
  readonly children: ReactNode;
}

/** A field that grows with its text up to a third of the page, and the controls that belong to it, in one box. */
export function PromptField({ ref, label, placeholder, text, onChange, onKeyDown, problem, minHeight, children }: PromptFieldProps) {
  const noteId = useId();
  const note = problem ?? describeSize(text);
  return (
    <div className="rounded-md border border-control bg-surface has-[textarea:focus-visible]:outline-2 has-[textarea:focus-visible]:outline-accent">
      <textarea
        ref={ref}
        aria-label={label}
        aria-invalid={problem !== null}
        aria-describedby={note === null ? undefined : noteId}
        placeholder={placeholder}
        value={text}
        rows={1}
        onChange={(event) => onChange(event.target.value)}
        onKeyDown={onKeyDown}
        className={classNames(
          'field-sizing-content block max-h-[34dvh] w-full resize-none bg-transparent px-4 pt-3 pb-1 text-prose outline-none placeholder:text-faint pointer-coarse:text-lead',
          minHeight === 'roomy' ? 'min-h-[100px]' : 'min-h-[44px]',
        )}
      />
      {note === null ? null : (
        <p id={noteId} role={problem === null ? 'status' : 'alert'} className={classNames('px-4 py-1 text-label', problem === null ? 'text-muted' : 'text-error')}>
          {note}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2 p-2">{children}</div>
    </div>
  );
}
