import type { ComponentProps } from 'react';

import { classNames } from '../lib/class-names.js';

/** 16 px on touch screens: below that, phones zoom the page. */
export const FIELD =
  'rounded-sm border border-control bg-surface px-2.5 text-ui text-text placeholder:text-faint pointer-coarse:text-lead focus-visible:outline-2 focus-visible:outline-accent';

export function TextField({ className, ...props }: ComponentProps<'input'>) {
  return <input className={classNames(FIELD, 'h-8 w-full pointer-coarse:h-11', className)} {...props} />;
}
