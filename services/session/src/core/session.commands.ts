import type { Author, CoreEventData } from '@bullpen/contracts';

import type { TurnEnding } from './session.events.js';

export interface NewPrompt {
  readonly promptId: string;
  readonly text: string;
  readonly author: Author;
  readonly requestHash: string;
}

/** Commands of one session; ids and hashes come from outside, so that deciding again decides the same. */
export type SessionCommand =
  | { readonly type: 'CreateSession'; readonly session: CoreEventData['SessionCreated']; readonly prompt: NewPrompt | null }
  | { readonly type: 'QueuePrompt'; readonly organisationId: string; readonly prompt: NewPrompt }
  | {
      readonly type: 'CancelTurn';
      readonly organisationId: string;
      readonly requestId: string;
      /** The running attempt when the cancel came: a turn that starts afterwards is not meant. `agentHasIt` as the agent lane says. */
      readonly seen: { readonly turnId: string; readonly attempt: number; readonly agentHasIt: boolean } | null;
    }
  | { readonly type: 'RetryTurn'; readonly organisationId: string; readonly requestId: string }
  | { readonly type: 'EndTurn'; readonly turnId: string; readonly attempt: number; readonly ending: TurnEnding };

export type CommandOf<Type extends SessionCommand['type']> = Extract<SessionCommand, { type: Type }>;
