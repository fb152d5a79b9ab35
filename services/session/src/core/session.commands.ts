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
      /** The attempts that an agent has begun, as the agent lane says: `turnId` and attempt of the last. */
      readonly begun: { readonly turnId: string; readonly attempt: number } | null;
    }
  | { readonly type: 'RetryTurn'; readonly organisationId: string }
  | { readonly type: 'EndTurn'; readonly turnId: string; readonly attempt: number; readonly ending: TurnEnding };

export type CommandOf<Type extends SessionCommand['type']> = Extract<SessionCommand, { type: Type }>;
