import { compareEventIds } from '@bullpen/session-model';
import type { SessionState } from '@bullpen/session-model';

/** A prompt on its way to the platform. */
export interface OutboxEntry {
  /** A ULID: the idempotency key, and the order in which prompts were written. */
  readonly key: string;
  readonly sessionId: string;
  readonly text: string;
  /** The prompts that the session had when this one was written, as far as they can still be told apart from it. */
  readonly known: readonly string[];
  readonly state: EntryState;
}

/**
 * waiting: to be sent, perhaps again, because nobody answered (`error`). failed: the platform said no, and sending again is a person's choice.
 * accepted: the platform has it and the session will show it.
 */
export type EntryState =
  | { readonly is: 'waiting'; readonly error: SendError | null }
  | { readonly is: 'sending' }
  | { readonly is: 'failed'; readonly error: SendError }
  | Accepted;

/** `head`: the session shows the prompt once it has come that far. */
export interface Accepted {
  readonly is: 'accepted';
  readonly promptId: string;
  readonly position: number;
  readonly head: string;
}

export interface SendError {
  readonly code: string;
  readonly message: string;
}

export type OutboxChange =
  /** What the storage holds now: another tab may have written, sent or discarded. */
  | { readonly type: 'stored'; readonly entries: readonly OutboxEntry[] }
  | { readonly type: 'changed'; readonly key: string; readonly state: EntryState }
  | { readonly type: 'gone'; readonly keys: readonly string[] };

/** The entries in the order they were written. Pure; entries that did not change keep their identity. */
export function reduceOutbox(entries: readonly OutboxEntry[], change: OutboxChange): readonly OutboxEntry[] {
  switch (change.type) {
    case 'stored':
      return mergeStored(entries, change.entries);
    case 'changed':
      return changeState(entries, change.key, change.state);
    case 'gone':
      return entries.some(({ key }) => change.keys.includes(key)) ? entries.filter(({ key }) => !change.keys.includes(key)) : entries;
  }
}

/** A prompt whose id is known now is not any other entry's. */
function changeState(entries: readonly OutboxEntry[], key: string, state: EntryState): readonly OutboxEntry[] {
  return entries.map((entry) => {
    if (entry.key === key) return { ...entry, state };
    return state.is === 'accepted' ? { ...entry, known: [...entry.known, state.promptId] } : entry;
  });
}

/** What is accepted left the storage and is shown until the session has it; what is being sent here is known better here. */
function mergeStored(entries: readonly OutboxEntry[], stored: readonly OutboxEntry[]): readonly OutboxEntry[] {
  const here = new Map(entries.map((entry) => [entry.key, entry]));
  const accepted = entries.filter(({ state }) => state.is === 'accepted');
  const taken = new Set(accepted.map(({ key }) => key));
  const rest = stored.filter(({ key }) => !taken.has(key)).map((entry) => (here.get(entry.key)?.state.is === 'sending' ? (here.get(entry.key) ?? entry) : entry));
  return [...accepted, ...rest].toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** What is next to be sent for a session: strictly in the order it was written; what failed waits for a person and holds nothing up. */
export function nextToSend(entries: readonly OutboxEntry[], sessionId: string): OutboxEntry | null {
  return entries.find((entry) => entry.sessionId === sessionId && (entry.state.is === 'waiting' || entry.state.is === 'sending')) ?? null;
}

/** What a session shows of prompts. */
type ShownPrompts = Pick<SessionState, 'head' | 'turns' | 'queue'>;

/** Enough to tell later which prompts came after now: those that wait, and that of the last turn. */
export function knownPrompts({ turns, queue }: ShownPrompts): readonly string[] {
  const last = turns.at(-1);
  return [...(last === undefined ? [] : [last.promptId]), ...queue.map(({ promptId }) => promptId)];
}

/** Entries that the session shows itself by now. */
export function seenKeys(entries: readonly OutboxEntry[], session: ShownPrompts): readonly string[] {
  return entries.filter(({ state }) => state.is === 'accepted' && compareEventIds(session.head, state.head) >= 0).map(({ key }) => key);
}

/**
 * The entries that still need a row of their own. The session's event often comes before the answer that names the prompt: an entry in
 * transit then is the new prompt with its text, so that no prompt is ever shown twice.
 */
export function unseenEntries(entries: readonly OutboxEntry[], session: ShownPrompts): readonly OutboxEntry[] {
  const seen = new Set(seenKeys(entries, session));
  const used = new Set<string>();
  return entries.filter((entry) => {
    const promptId = entry.state.is === 'accepted' ? entry.state.promptId : arrivedId(entry, session, used);
    if (promptId !== null) used.add(promptId);
    return entry.state.is === 'accepted' ? !seen.has(entry.key) : promptId === null;
  });
}

function arrivedId({ state, text, known }: OutboxEntry, { turns, queue }: ShownPrompts, used: ReadonlySet<string>): string | null {
  if (state.is === 'failed') return null;
  const isNew = (promptId: string): boolean => !known.includes(promptId) && !used.has(promptId);
  const lastKnown = turns.findLastIndex(({ promptId }) => known.includes(promptId));
  const turn = turns.slice(lastKnown + 1).find(({ promptId, prompt }) => prompt === text && isNew(promptId));
  return turn?.promptId ?? queue.find((prompt) => prompt.text === text && isNew(prompt.promptId))?.promptId ?? null;
}
