import { ChevronDown } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';

import { classNames } from '../../lib/class-names.js';

/** What is chosen, and a way to choose another. `label` is read before the value. */
export function PickerButton({ label, icon, className, children, ...props }: { readonly label: string; readonly icon: ReactNode } & ComponentProps<'button'>) {
  return (
    <button
      type="button"
      className={classNames(
        'inline-flex h-8 max-w-full min-w-0 cursor-pointer items-center gap-1.5 rounded-sm border border-border px-2.5 text-ui hover:bg-raised pointer-coarse:h-11',
        'aria-invalid:border-error',
        className,
      )}
      {...props}
    >
      {icon}
      <span className="sr-only">{label}: </span>
      <span className="min-w-0 truncate">{children}</span>
      <ChevronDown size={14} aria-hidden className="shrink-0 text-muted" />
    </button>
  );
}
