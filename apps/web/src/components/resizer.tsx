import type { KeyboardEvent, PointerEvent } from 'react';

const STEP_PX = 16;

export interface ResizerProps {
  /** What becomes wider or narrower. */
  readonly label: string;
  readonly width: number;
  readonly bounds: { readonly least: number; readonly most: number };
  readonly onWidth: (width: number) => void;
}

/** The right edge of the pane that it stands in: dragged, or moved by the arrow keys. */
export function Resizer({ label, width, bounds, onWidth }: ResizerProps) {
  const drag = (event: PointerEvent<HTMLElement>): void => {
    const { currentTarget, pointerId, clientX } = event;
    if (!currentTarget.hasPointerCapture(pointerId)) return;
    onWidth(clientX - (currentTarget.parentElement?.getBoundingClientRect().left ?? 0));
  };
  const step = (event: KeyboardEvent): void => {
    if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
    event.preventDefault();
    onWidth(width + (event.key === 'ArrowRight' ? STEP_PX : -STEP_PX));
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- with a value and keys of its own a separator is a widget
    <hr
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={bounds.least}
      aria-valuemax={bounds.most}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the same
      tabIndex={0}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={step}
      className="absolute inset-y-0 -right-1 z-10 m-0 h-full w-2 cursor-col-resize border-0 touch-none transition-colors hover:bg-border focus-visible:bg-border"
    />
  );
}
