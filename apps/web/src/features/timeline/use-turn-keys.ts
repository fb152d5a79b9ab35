import { useCallback } from 'react';
import type { RefObject } from 'react';

import type { Shortcut } from '../../lib/shortcuts.js';
import { useShortcut } from '../../lib/use-shortcut.js';
import { isExpanded, setExpanded } from './expansion.js';
import { foldablesOf } from './foldable.js';
import type { Row } from './rows.js';

const NEXT_TURN: Shortcut = { key: 'j', scope: 'Timeline', label: 'Next turn' };
const PREVIOUS_TURN: Shortcut = { key: 'k', scope: 'Timeline', label: 'Previous turn' };
const EXPAND: Shortcut = { key: 'Enter', scope: 'Timeline', label: 'Open or fold everything in the turn' };
const TO_END: Shortcut = { key: 'End', scope: 'Timeline', label: 'Go to the end and follow' };

export interface TurnKeys {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly rows: readonly Row[];
  readonly isOn: boolean;
  /** Index of the row at the top of what is seen. */
  readonly firstShown: () => number;
  /** Brings a row to the top. */
  readonly show: (index: number) => void;
  readonly toEnd: () => void;
}

/** `j` and `k` walk from prompt to prompt and take the focus there; Enter opens what the focused turn folds. */
export function useTurnKeys({ scroller, rows, isOn, firstShown, show, toEnd }: TurnKeys): void {
  const walk = useCallback(
    (step: 1 | -1) => {
      const from = focusedRow(rows) ?? firstShown();
      const index = step === 1 ? rows.findIndex((row, place) => place > from && row.kind === 'prompt') : rows.findLastIndex((row, place) => place < from && row.kind === 'prompt');
      const row = rows[index];
      if (row === undefined) return false;
      show(index);
      focusSoon(scroller, row.turnId);
      return true;
    },
    [scroller, rows, firstShown, show],
  );
  const expand = useCallback(() => {
    const turnId = focusedTurn();
    if (turnId === undefined) return false;
    const foldables = foldablesOf(rows, turnId);
    const isAllOpen = foldables.every(({ key, isOpenAtFirst }) => isExpanded(key, isOpenAtFirst));
    setExpanded(
      foldables.map(({ key }) => key),
      !isAllOpen,
    );
    return true;
  }, [rows]);
  useShortcut(NEXT_TURN, useCallback(() => walk(1), [walk]), isOn);
  useShortcut(PREVIOUS_TURN, useCallback(() => walk(-1), [walk]), isOn);
  useShortcut(EXPAND, expand, isOn);
  useShortcut(TO_END, toEnd, isOn);
}

function focusedTurn(): string | undefined {
  return document.activeElement instanceof HTMLElement ? document.activeElement.dataset['turn'] : undefined;
}

function focusedRow(rows: readonly Row[]): number | null {
  const turnId = focusedTurn();
  const index = turnId === undefined ? -1 : rows.findIndex((row) => row.kind === 'prompt' && row.turnId === turnId);
  return index === -1 ? null : index;
}

/** The row may have to be rendered first. */
const MAX_FRAMES = 20;

function focusSoon(scroller: RefObject<HTMLElement | null>, turnId: string, framesLeft = MAX_FRAMES): void {
  requestAnimationFrame(() => {
    const prompts = scroller.current?.querySelectorAll<HTMLElement>('[data-turn]') ?? [];
    const prompt = [...prompts].find((candidate) => candidate.dataset['turn'] === turnId);
    if (prompt !== undefined) prompt.focus({ preventScroll: true });
    else if (framesLeft > 0) focusSoon(scroller, turnId, framesLeft - 1);
  });
}
