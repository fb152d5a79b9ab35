/** A file in its folder; folders that hold nothing but one folder are one row: `src/adapters/rest`. */
export type TreeNode<File extends { readonly path: string }> =
  | { readonly kind: 'file'; readonly name: string; readonly file: File }
  | { readonly kind: 'folder'; readonly path: string; readonly name: string; readonly children: readonly TreeNode<File>[] };

interface Entry<File> {
  readonly file: File;
  /** Of the path, below the folder that is looked at. */
  readonly segments: readonly string[];
}

type Group<File> = [Entry<File>, ...Entry<File>[]];

/** Files stay in the order in which they are given; a folder stands where its first file does. */
export function fileTree<File extends { readonly path: string }>(files: readonly File[]): readonly TreeNode<File>[] {
  return nodesOf(
    files.map((file) => ({ file, segments: file.path.split('/') })),
    '',
  );
}

/** As the tree shows them, from top to bottom. */
export function filesOf<File extends { readonly path: string }>(nodes: readonly TreeNode<File>[]): readonly File[] {
  return nodes.flatMap((node) => (node.kind === 'file' ? [node.file] : filesOf(node.children)));
}

function nodesOf<File extends { readonly path: string }>(entries: readonly Entry<File>[], parent: string): readonly TreeNode<File>[] {
  return [...groupByFirst(entries).values()].map((group) => {
    const { file: firstFile, segments } = group[0];
    const name = segments[0] ?? '';
    if (segments.length === 1) return { kind: 'file', name, file: firstFile };
    const path = `${parent}${name}`;
    const children = nodesOf(
      group.map((entry) => ({ file: entry.file, segments: entry.segments.slice(1) })),
      `${path}/`,
    );
    return joined({ kind: 'folder', path, name, children });
  });
}

/** A file and a folder may have the same name: one was deleted to make the other. */
function groupByFirst<File>(entries: readonly Entry<File>[]): ReadonlyMap<string, Group<File>> {
  const groups = new Map<string, Group<File>>();
  for (const entry of entries) {
    const key = `${entry.segments.length === 1 ? 'file' : 'folder'}/${entry.segments[0] ?? ''}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}

function joined<File extends { readonly path: string }>(folder: Extract<TreeNode<File>, { kind: 'folder' }>): TreeNode<File> {
  const [child] = folder.children;
  if (folder.children.length !== 1 || child?.kind !== 'folder') return folder;
  return { ...child, name: `${folder.name}/${child.name}` };
}
