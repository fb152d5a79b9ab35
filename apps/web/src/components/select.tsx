import type { ComponentProps } from 'react';

import { classNames } from '../lib/class-names.js';
import { FIELD } from './text-field.js';

/** The browser's own: it has every key, and the wheel of a phone. Give it an `aria-label` or a label. */
export function Select({ className, ...props }: ComponentProps<'select'>) {
  return <select className={classNames(FIELD, 'h-8 min-w-0 cursor-pointer truncate pointer-coarse:h-11', className)} {...props} />;
}
