import { Tooltip as Primitive } from 'radix-ui';
import type { ReactNode } from 'react';

/** Says what a control does, and its key. The control itself must have a name of its own: fingers see no tooltip. */
export function Tooltip({ text, keys, children }: { readonly text: string; readonly keys?: string; readonly children: ReactNode }) {
  return (
    <Primitive.Root>
      <Primitive.Trigger asChild>{children}</Primitive.Trigger>
      <Primitive.Portal>
        <Primitive.Content
          sideOffset={6}
          collisionPadding={8}
          className="z-50 flex items-center gap-2 rounded-sm border border-border bg-surface px-2 py-1 text-label text-text shadow-overlay"
        >
          {text}
          {keys === undefined ? null : <kbd className="text-faint">{keys}</kbd>}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

export const TooltipProvider = Primitive.Provider;
