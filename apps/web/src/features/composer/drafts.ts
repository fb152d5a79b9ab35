import { useSyncExternalStore } from 'react';

/**
 * What was typed and not sent, by where it was typed. It is kept in this browser, so that neither a reload nor a crash takes it; where
 * storage is full or switched off it lasts as long as the page.
 */
export type DraftPlace = 'home' | `session.${string}`;

const STORAGE_PREFIX = 'bullpen.draft.';
const drafts = new Map<DraftPlace, string>();
const listeners = new Set<() => void>();

export function readDraft(place: DraftPlace): string {
  const known = drafts.get(place);
  if (known !== undefined) return known;
  const kept = readKept(place);
  drafts.set(place, kept);
  return kept;
}

export function setDraft(place: DraftPlace, text: string): void {
  drafts.set(place, text);
  keep(place, text);
  for (const listener of listeners) listener();
}

export function useDraft(place: DraftPlace): string {
  return useSyncExternalStore(subscribe, () => readDraft(place));
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function readKept(place: DraftPlace): string {
  try {
    return localStorage.getItem(STORAGE_PREFIX + place) ?? '';
  } catch {
    return '';
  }
}

function keep(place: DraftPlace, text: string): void {
  try {
    if (text === '') localStorage.removeItem(STORAGE_PREFIX + place);
    else localStorage.setItem(STORAGE_PREFIX + place, text);
  } catch {
    // It lasts as long as the page.
  }
}
