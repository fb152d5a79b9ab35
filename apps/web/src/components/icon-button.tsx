import type { ComponentProps, ReactNode } from 'react';

import { classNames } from '../lib/class-names.js';
import { Tooltip } from './tooltip.js';

export interface IconButtonProps extends Omit<ComponentProps<'button'>, 'children'> {
  /** What it does: read aloud, and shown on hover. */
  readonly label: string;
  /** As the tooltip shows it: `⌘B`. */
  readonly keys?: string;
  readonly children: ReactNode;
}

/** A picture that acts; 28 by 28 with a mouse, 44 by 44 with a finger. */
export function IconButton({ label, keys, className, children, type = 'button', ...props }: IconButtonProps) {
  return (
    <Tooltip text={label} {...(keys === undefined ? {} : { keys })}>
      <button
        type={type}
        aria-label={label}
        className={classNames(
          'inline-grid size-7 shrink-0 cursor-pointer place-items-center rounded-sm text-muted transition-colors hover:bg-raised hover:text-text pointer-coarse:size-11',
          'disabled:cursor-not-allowed disabled:opacity-60 aria-pressed:bg-raised aria-pressed:text-text',
          className,
        )}
        {...props}
      >
        {children}
      </button>
    </Tooltip>
  );
}
