import type { ReactNode, Ref } from 'react';

export interface ScrollBoxProps {
  /** What is inside, for who hears it. */
  readonly label: string;
  readonly className: string;
  readonly children: ReactNode;
  readonly ref?: Ref<HTMLDivElement>;
}

/** A part of the page that scrolls by itself, by keys too. */
export function ScrollBox({ label, className, children, ref }: ScrollBoxProps) {
  return (
    // What scrolls must take the focus, or no key reaches it; and it is no field set.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex, jsx-a11y/prefer-tag-over-role
    <div ref={ref} tabIndex={0} role="group" aria-label={label} className={className}>
      {children}
    </div>
  );
}
