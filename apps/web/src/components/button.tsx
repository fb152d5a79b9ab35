import type { ComponentProps } from 'react';

import { classNames } from '../lib/class-names.js';

export type ButtonKind = 'primary' | 'secondary' | 'quiet' | 'danger';

const KINDS: Readonly<Record<ButtonKind, string>> = {
  primary: 'bg-accent text-on-accent hover:opacity-90',
  secondary: 'border border-control bg-surface text-text hover:bg-raised',
  quiet: 'text-muted hover:bg-raised hover:text-text',
  danger: 'border border-control bg-surface text-error hover:bg-raised',
};

export interface ButtonProps extends ComponentProps<'button'> {
  readonly kind?: ButtonKind;
}

/** 32 high with a mouse, 44 with a finger. One `primary` a screen. */
export function Button({ kind = 'secondary', className, type = 'button', ...props }: ButtonProps) {
  return (
    <button
      type={type}
      className={classNames(
        'inline-flex h-8 shrink-0 cursor-pointer items-center justify-center gap-1.5 rounded-sm px-3 text-ui font-medium whitespace-nowrap transition-colors pointer-coarse:h-11',
        'disabled:cursor-not-allowed disabled:opacity-60 aria-disabled:cursor-not-allowed aria-disabled:opacity-60',
        KINDS[kind],
        className,
      )}
      {...props}
    />
  );
}
