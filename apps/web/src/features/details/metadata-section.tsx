import type { ReactNode } from 'react';

import { CopyButton } from '../../components/copy-button.js';
import { StatusMark } from '../../components/status.js';
import { formatCost, formatCount, formatMoment } from '../../lib/format.js';
import { useSessionState } from '../../lib/session-context.js';
import { useNow } from '../../lib/use-now.js';
import { Section } from './section.js';

const DAY_CHECK_MS = 60_000;

export function MetadataSection() {
  return (
    <Section title="Session">
      <dl className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3">
        <StatusRow />
        <AgentRows />
        <PlaceRows />
        <TimeRows />
        <UsageRows />
      </dl>
    </Section>
  );
}

function StatusRow() {
  const status = useSessionState((state) => state.status);
  return (
    <Row name="Status">
      <StatusMark status={status} />
    </Row>
  );
}

function AgentRows() {
  const agent = useSessionState((state) => state.agent);
  const model = useSessionState((state) => state.model);
  const isScripted = useSessionState((state) => state.modelProvider === 'scripted');
  return (
    <>
      <Row name="Agent">{agent}</Row>
      <Row name="Model">
        <span className="truncate">{isScripted ? 'Scripted, not a real model' : model}</span>
      </Row>
    </>
  );
}

function PlaceRows() {
  const repository = useSessionState((state) => state.repository?.name ?? '');
  const branch = useSessionState((state) => state.branch);
  const workBranch = useSessionState((state) => state.checkpoint?.branch ?? '');
  return (
    <>
      <Row name="Repository">
        <span className="truncate" title={repository}>
          {repository}
        </span>
      </Row>
      <BranchRow name="From branch" branch={branch} />
      {workBranch === '' ? null : <BranchRow name="Work branch" branch={workBranch} />}
    </>
  );
}

function BranchRow({ name, branch }: { readonly name: string; readonly branch: string }) {
  return (
    <Row name={name}>
      <span className="flex min-w-0 items-center gap-1">
        <code className="min-w-0 truncate text-code" title={branch}>
          {branch}
        </code>
        <CopyButton text={branch} label={`Copy the name of the ${name.toLowerCase()}`} />
      </span>
    </Row>
  );
}

function TimeRows() {
  const createdAt = useSessionState((state) => state.createdAt);
  const updatedAt = useSessionState((state) => state.updatedAt);
  const now = useNow(DAY_CHECK_MS);
  return (
    <>
      <Row name="Created">{formatMoment(createdAt, now)}</Row>
      <Row name="Updated">{formatMoment(updatedAt, now)}</Row>
    </>
  );
}

function UsageRows() {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, costUsd } = useSessionState((state) => state.usage);
  const cached = cacheReadTokens + cacheWriteTokens;
  return (
    <>
      <Row name="Cost">{formatCost(costUsd)}</Row>
      <Row name="Tokens">
        <span>
          {`${formatCount(inputTokens)} in · ${formatCount(outputTokens)} out`}
          {cached === 0 ? null : ` · ${formatCount(cached)} cached`}
        </span>
      </Row>
    </>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="py-1 text-muted">{name}</dt>
      <dd className="flex min-h-7 min-w-0 items-center">{children}</dd>
    </>
  );
}
