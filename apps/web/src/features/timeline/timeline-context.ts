import { createContext, use } from 'react';

export interface TimelineActions {
  readonly sessionId: string;
  readonly onViewChanges: (turnId: string) => void;
}

/** Keeps its identity for as long as the timeline is shown, so that no row renders again because of it. */
export const TimelineContext = createContext<TimelineActions | null>(null);

export function useTimeline(): TimelineActions {
  const actions = use(TimelineContext);
  if (actions === null) throw new Error('useTimeline needs a Timeline above it.');
  return actions;
}
