/** Pure row functions of a read model. A new version in `name` rebuilds beside the old one. */
export interface Projector<Event extends { readonly type: string }, Row> {
  /** `session-list.v1` */
  readonly name: string;
  /** `all`: also of types that this build does not know. */
  readonly handles: readonly Event['type'][] | 'all';
  rowId: (event: Event) => string;
  /** `null` deletes. */
  apply: (row: Row | null, event: Event) => Row | null;
}
