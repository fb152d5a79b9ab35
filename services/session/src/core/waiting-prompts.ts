import { Rejection } from '@bullpen/errors';

import type { CommandOf } from './session.commands.js';
import type { OpenSession } from './session.aggregate.js';
import { checkPrompt } from './prompt-text.js';
import type { SessionCoreEvent } from './session.events.js';

/** An edit that changes nothing in the queue's order adds no move; a text is appended as given, because only its hash is known here. */
export function editPrompt({ promptId, edit }: CommandOf<'EditPrompt'>, state: OpenSession): readonly SessionCoreEvent[] {
  requireWaiting(state, promptId);
  const { text, before } = edit;
  if (text !== null) checkPrompt(text);
  if (before !== null && before !== '') requireWaiting(state, before);
  const isMoved = before !== null && before !== promptId && !isSameOrder(moveTo(state.queue, promptId, before), state.queue);
  return [
    ...(text === null ? [] : [{ type: 'PromptEdited', data: { promptId, text } } as const]),
    ...(isMoved ? [{ type: 'PromptMoved', data: { promptId, before } } as const] : []),
  ];
}

export function withdrawPrompt({ promptId }: CommandOf<'WithdrawPrompt'>, state: OpenSession): readonly SessionCoreEvent[] {
  if (state.withdrawn.includes(promptId)) return [];
  requireWaiting(state, promptId);
  return [{ type: 'PromptWithdrawn', data: { promptId } }];
}

/** The queue with one prompt before another; at its end when the other is not there. */
export function moveTo(queue: readonly string[], promptId: string, before: string): readonly string[] {
  const others = queue.filter((waiting) => waiting !== promptId);
  const place = others.indexOf(before);
  return others.toSpliced(place === -1 ? others.length : place, 0, promptId);
}

function isSameOrder(left: readonly string[], right: readonly string[]): boolean {
  return left.every((promptId, place) => right[place] === promptId);
}

/** @throws Rejection `prompt.not-found`, `prompt.not-waiting` */
function requireWaiting({ queue, prompts }: OpenSession, promptId: string): void {
  if (queue.includes(promptId)) return;
  if (prompts[promptId] === undefined) {
    throw new Rejection('prompt.not-found', `This session has no prompt ${promptId}. Its queue names those that wait.`, { promptId });
  }
  const message = `The prompt ${promptId} does not wait any more: its turn has started, or it was withdrawn. Send another prompt.`;
  throw new Rejection('prompt.not-waiting', message, { promptId });
}
