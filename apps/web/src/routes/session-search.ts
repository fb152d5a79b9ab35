export const SESSION_TABS = ['chat', 'changes'] as const;
export type SessionTab = (typeof SESSION_TABS)[number];

/** What of a session is shown, in the address: a reload and a copied link show the same. */
export interface SessionSearch {
  readonly tab?: SessionTab;
  /** Whose changes: of one turn, or of the session without it. */
  readonly turn?: string;
  readonly file?: string;
}
