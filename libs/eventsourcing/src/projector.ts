/** Pure row functions of a read model. A new version in `name` rebuilds beside the old one. */
export interface Projector<Event extends { readonly type: string }, Row> {
  /** `session-list.v1` */
  readonly name: string;
  readonly handles: readonly Event['type'][];
  rowId: (event: Event) => string;
  /** `null` deletes. */
  apply: (row: Row | null, event: Event) => Row | null;
}
