import { CircleDashed, CircleX, LoaderCircle } from 'lucide-react';

import { Button } from '../../components/button.js';
import { readDraft, setDraft } from './drafts.js';
import { outbox } from './outbox-browser.js';
import type { EntryState, OutboxEntry } from './outbox-entries.js';

export interface UnsentRowProps {
  readonly entry: OutboxEntry;
  /** Of all that waits. */
  readonly position: number;
}

/** A prompt on its way: no text is ever lost, whatever became of it. */
export function UnsentRow({ entry, position }: UnsentRowProps) {
  const { key, sessionId, text, state } = entry;
  const error = state.is === 'failed' || state.is === 'waiting' ? state.error : null;
  const edit = async (): Promise<void> => {
    const place = `session.${sessionId}` as const;
    const taken = await outbox.discard(key);
    setDraft(place, [taken, readDraft(place)].filter((part) => part !== '').join('\n\n'));
  };
  return (
    <li className="flex flex-col gap-1 px-4 py-2">
      <p className="line-clamp-2 break-words whitespace-pre-wrap">
        <span className="text-muted">{position}. You: </span>
        {text}
      </p>
      <Progress state={state} />
      {error === null ? null : (
        <div className="flex flex-wrap items-center gap-2">
          <p className="min-w-0 flex-1 basis-[240px] text-muted">{error.message}</p>
          <Button onClick={() => void outbox.retry(sessionId, key)}>Retry</Button>
          <Button onClick={() => void edit()}>Edit</Button>
          <Button onClick={() => void outbox.discard(key)}>Discard</Button>
        </div>
      )}
    </li>
  );
}

function Progress({ state }: { readonly state: EntryState }) {
  if (state.is === 'failed') {
    return (
      <p role="alert" className="flex items-center gap-1.5 text-label font-medium text-error">
        <CircleX size={14} aria-hidden />
        Not sent
      </p>
    );
  }
  if (state.is === 'waiting' && state.error !== null) {
    return (
      <output className="flex items-center gap-1.5 text-label font-medium text-warn">
        <CircleDashed size={14} aria-hidden />
        Not sent yet: it goes out when Bullpen answers again
      </output>
    );
  }
  return (
    <output className="flex items-center gap-1.5 text-label text-muted">
      <LoaderCircle size={14} aria-hidden className="animate-spin" />
      {state.is === 'accepted' ? (state.position > 0 ? `Queued ${state.position}` : 'Accepted') : 'Sending…'}
    </output>
  );
}
