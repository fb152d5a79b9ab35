import { useMemo } from 'react';

import { useSessionState, useSessionStore } from '../../lib/session-context.js';

const MAX_LABEL_CHARACTERS = 60;

export interface TurnScope {
  readonly turnId: string;
  /** Its prompt, in one line. */
  readonly label: string;
}

/** The turns that changed something, the last one first. */
export function useTurnScopes(): readonly TurnScope[] {
  const checkpoint = useSessionState((state) => state.checkpoint);
  const store = useSessionStore();
  return useMemo(() => {
    if (checkpoint === null) return [];
    const { turns } = store.getSnapshot().state;
    const changed = turns.filter((turn) => turn.checkpoint !== null && turn.checkpoint.turnPatch.sha256 !== '');
    return changed.map(({ turnId, prompt }) => ({ turnId, label: oneLine(prompt) })).toReversed();
  }, [checkpoint, store]);
}

function oneLine(prompt: string): string {
  const line = prompt.trim().replaceAll(/\s+/g, ' ');
  return line.length > MAX_LABEL_CHARACTERS ? `${line.slice(0, MAX_LABEL_CHARACTERS - 1)}…` : line;
}
