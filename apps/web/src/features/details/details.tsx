import { ArtifactsSection } from './artifacts-section.js';
import { FilesSection } from './files-section.js';
import { MetadataSection } from './metadata-section.js';
import { PeopleSection } from './people-section.js';
import { PlanSection } from './plan-section.js';

/** What is known of a session beside its conversation. `onOpenFile`: shows the file's diff. Needs a SessionProvider above it. */
export function Details({ onOpenFile }: { readonly onOpenFile: (path: string) => void }) {
  return (
    <div>
      <MetadataSection />
      <PlanSection />
      <FilesSection onOpenFile={onOpenFile} />
      <ArtifactsSection />
      <PeopleSection />
    </div>
  );
}
