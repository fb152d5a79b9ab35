import { useMemo } from 'react';

import { FileTreeView } from '../../components/file-tree-view.js';
import { LineCounts } from '../../components/line-counts.js';
import { plural } from '../../lib/format.js';
import { useSessionState, useSessionStore } from '../../lib/session-context.js';
import { latestFirst } from './latest-files.js';
import { Nothing, Section } from './section.js';

export function FilesSection({ onOpenFile }: { readonly onOpenFile: (path: string) => void }) {
  const files = useSessionState((state) => state.files);
  const total = useSessionState((state) => state.filesTotal);
  const store = useSessionStore();
  // With the files, not with the turns: those are others with every word that streams in.
  const ordered = useMemo(() => latestFirst(files, store.getSnapshot().state.turns), [files, store]);
  if (files.length === 0) {
    return (
      <Section title="Files changed">
        <Nothing>Nothing changed yet.</Nothing>
      </Section>
    );
  }
  const sum = (field: 'insertions' | 'deletions'): number => files.reduce((all, file) => all + file[field], 0);
  return (
    <Section
      title="Files changed"
      note={
        <>
          {plural(total, 'file')} <LineCounts insertions={sum('insertions')} deletions={sum('deletions')} />
        </>
      }
    >
      <div className="-mx-1.5">
        <FileTreeView label="Files changed, latest first" files={ordered} onSelect={onOpenFile} />
      </div>
      {total > files.length ? <Nothing>{`And ${plural(total - files.length, 'more file')}.`}</Nothing> : null}
    </Section>
  );
}
