/** What is ticked, and where a range begins. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  readonly anchor: string | null;
}

export const NOTHING_SELECTED: Selection = { ids: new Set(), anchor: null };

/** Ticks or unticks one; with `isRange`, everything from the last one on becomes as this one. `order` is as shown. Pure. */
export function toggleSelected(selection: Selection, id: string, { order, isRange }: { readonly order: readonly string[]; readonly isRange: boolean }): Selection {
  const isOn = !selection.ids.has(id);
  const from = isRange && selection.anchor !== null ? order.indexOf(selection.anchor) : -1;
  const to = order.indexOf(id);
  const touched = from === -1 || to === -1 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
  const ids = new Set(selection.ids);
  for (const each of touched) {
    if (isOn) ids.add(each);
    else ids.delete(each);
  }
  return { ids, anchor: id };
}

/** Without what is not shown any more: nobody acts on what they do not see. */
export function selectedOf(selection: Selection, order: readonly string[]): readonly string[] {
  return order.filter((id) => selection.ids.has(id));
}
