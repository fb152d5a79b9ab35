import type { Author, CoreEventData } from '@bullpen/contracts';

import type { TurnEnding } from './session.events.js';

export interface NewPrompt {
  readonly promptId: string;
  readonly text: string;
  readonly author: Author;
  readonly requestHash: string;
}

/** The running attempt when a command came. `agentHasIt` as the agent lane says. */
export interface SeenTurn {
  readonly turnId: string;
  readonly attempt: number;
  readonly agentHasIt: boolean;
}

/** What is null stays as it is. */
export interface PromptEdit {
  readonly text: string | null;
  /** The waiting prompt to stand before; empty: the end of the queue. */
  readonly before: string | null;
}

/** Commands of one session; ids and hashes come from outside, so that deciding again decides the same. */
export type SessionCommand =
  | { readonly type: 'CreateSession'; readonly sessionId: string; readonly session: CoreEventData['SessionCreated']; readonly prompt: NewPrompt | null }
  | { readonly type: 'QueuePrompt'; readonly organisationId: string; readonly sessionId: string; readonly prompt: NewPrompt }
  | {
      readonly type: 'CancelTurn';
      readonly organisationId: string;
      readonly sessionId: string;
      readonly requestId: string;
      /** A turn that starts after the cancel came is not meant. */
      readonly seen: SeenTurn | null;
    }
  | { readonly type: 'RetryTurn'; readonly organisationId: string; readonly sessionId: string; readonly requestId: string }
  | { readonly type: 'EditPrompt'; readonly organisationId: string; readonly sessionId: string; readonly promptId: string; readonly edit: PromptEdit }
  | { readonly type: 'WithdrawPrompt'; readonly organisationId: string; readonly sessionId: string; readonly promptId: string }
  | { readonly type: 'RenameSession'; readonly organisationId: string; readonly sessionId: string; readonly title: string }
  | { readonly type: 'ArchiveSession'; readonly organisationId: string; readonly sessionId: string; readonly seen: SeenTurn | null }
  | { readonly type: 'UnarchiveSession'; readonly organisationId: string; readonly sessionId: string }
  | { readonly type: 'DeleteSession'; readonly organisationId: string; readonly sessionId: string }
  /** The last event of the lane; only once the session is deleted and nothing of it is left elsewhere. */
  | { readonly type: 'CloseLane' }
  | { readonly type: 'EndTurn'; readonly turnId: string; readonly attempt: number; readonly ending: TurnEnding };

export type CommandOf<Type extends SessionCommand['type']> = Extract<SessionCommand, { type: Type }>;
