/** What is looked at. */
export interface ChangesScope {
  /** Changes of one turn; without it, of the whole session. */
  readonly turn?: string;
  /** Path of the file; without it, the first one. */
  readonly file?: string;
}

export interface ChangesProps {
  readonly sessionId: string;
  readonly scope: ChangesScope;
  readonly onScopeChange: (scope: ChangesScope) => void;
}
