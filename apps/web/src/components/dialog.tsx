import { X } from 'lucide-react';
import { Dialog as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';

import { classNames } from '../lib/class-names.js';
import { IconButton } from './icon-button.js';

const SHAPES = {
  box: 'top-[12dvh] left-1/2 max-h-[76dvh] w-[min(560px,calc(100vw-32px))] -translate-x-1/2 rounded-md',
  'sheet-start': 'inset-y-0 left-0 w-[min(360px,calc(100vw-48px))] rounded-r-md',
  'sheet-end': 'inset-y-0 right-0 w-[min(360px,calc(100vw-48px))] rounded-l-md',
} as const;

export interface DialogProps {
  readonly isOpen: boolean;
  readonly onOpenChange: (isOpen: boolean) => void;
  readonly title: string;
  /** Read aloud with the title. */
  readonly description?: string;
  readonly children: ReactNode;
  /** Sheets stand at an edge, for panes that have no room of their own. */
  readonly shape?: keyof typeof SHAPES;
}

/** Holds the focus while open, gives it back when closed; Escape and a click beside it close it. */
export function Dialog({ isOpen, onOpenChange, title, description, children, shape = 'box' }: DialogProps) {
  return (
    <Primitive.Root open={isOpen} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.4)]" />
        <Primitive.Content
          {...(description === undefined ? { 'aria-describedby': undefined } : {})}
          onOpenAutoFocus={focusItself}
          className={classNames('fixed z-40 flex flex-col overflow-hidden border border-border bg-surface shadow-overlay outline-none', SHAPES[shape])}
        >
          <header className="flex items-center justify-between gap-3 border-b border-border py-2 pr-2 pl-4">
            <Primitive.Title className="text-lead font-semibold">{title}</Primitive.Title>
            <Primitive.Close asChild>
              <IconButton label="Close" keys="Esc">
                <X size={16} aria-hidden />
              </IconButton>
            </Primitive.Close>
          </header>
          {description === undefined ? null : <Primitive.Description className="px-4 pt-3 text-muted">{description}</Primitive.Description>}
          <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">{children}</div>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

/** Not its first button, whose tooltip would cover the title. A field with `autoFocus` has the focus already, and keeps it. */
function focusItself(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
}
