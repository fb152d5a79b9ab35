import { CircleAlert, GitBranch, GitCommitHorizontal } from 'lucide-react';

import type { PushState } from '@bullpen/session-model';

import { CopyButton } from '../../components/copy-button.js';
import { useSessionState } from '../../lib/session-context.js';
import { Nothing, Section } from './section.js';

const SHORT_SHA = 7;

/** What a session leaves behind for others. */
export function ArtifactsSection() {
  const push = useSessionState((state) => state.push);
  const sha = useSessionState((state) => state.checkpoint?.sha ?? '');
  return (
    <Section title="Artifacts">
      {push === null ? null : <Pushed push={push} />}
      {push === null && sha !== '' ? <Commit sha={sha} says="Kept here, not pushed" /> : null}
      {push === null && sha === '' ? <Nothing>The branch and its commits appear here after the first turn.</Nothing> : null}
    </Section>
  );
}

function Pushed({ push }: { readonly push: PushState }) {
  if (push.state === 'failed') {
    return (
      <>
        <p className="mb-1 flex gap-2 text-error">
          <CircleAlert size={14} aria-hidden className="mt-[3px] shrink-0" />
          <span className="min-w-0 break-words">{`Not pushed: ${push.reason.message}`}</span>
        </p>
        <Commit sha={push.sha} says="Kept here" />
      </>
    );
  }
  return (
    <>
      <p className="flex min-w-0 items-center gap-2">
        <GitBranch size={14} aria-hidden className="shrink-0 text-muted" />
        <code className="min-w-0 truncate text-code" title={push.branch}>
          {push.branch}
        </code>
        <CopyButton text={push.branch} label="Copy the name of the pushed branch" />
      </p>
      <Commit sha={push.sha} says="Pushed" />
    </>
  );
}

function Commit({ sha, says }: { readonly sha: string; readonly says: string }) {
  return (
    <p className="flex min-w-0 items-center gap-2">
      <GitCommitHorizontal size={14} aria-hidden className="shrink-0 text-muted" />
      <code className="text-code">{sha.slice(0, SHORT_SHA)}</code>
      <CopyButton text={sha} label="Copy the commit’s whole name" />
      <span className="text-muted">{says}</span>
    </p>
  );
}
