import { Box, Check, ChevronRight, CircleX, LoaderCircle, Pause, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';

import { Button } from '../../components/button.js';
import { explain } from '../../components/states.js';
import { classNames } from '../../lib/class-names.js';
import { formatDuration } from '../../lib/format.js';
import { useSessionState } from '../../lib/session-context.js';
import { useNow } from '../../lib/use-now.js';
import { useRetrySandbox } from './retry-sandbox.js';
import { stagesOf } from './sandbox-view.js';
import type { StageView } from './sandbox-view.js';
import { ScrollBox } from './scroll-box.js';

const TICK_MS = 500;

/** How far the sandbox is, how long each step took; what went wrong, its log, and Retry. */
export function SandboxStages({ sessionId }: { readonly sessionId: string }) {
  const sandbox = useSessionState((state) => state.sandbox);
  const isMoving = sandbox.stage !== null && !RESTING.includes(sandbox.stage);
  const now = useNow(TICK_MS, isMoving);
  if (sandbox.stage === null) return null;
  const stages = stagesOf(sandbox, now);
  const current = stages.at(-1);
  const hasTrouble = current?.state === 'failed' || current?.state === 'slow' || (sandbox.reason !== null && current?.state === 'running' && sandbox.stage !== 'running');
  return (
    <section aria-label="Sandbox" className="border-b border-border bg-surface px-4 text-label">
      <div className="flex min-h-9 min-w-0 flex-wrap items-center gap-x-2 gap-y-1 py-1">
        <Box size={14} aria-hidden className="shrink-0 text-muted" />
        <span className="sr-only">Sandbox:</span>
        <ol className="flex min-w-0 flex-wrap items-center gap-x-2">
          {stages.map((stage) => (
            <Stage key={stage.stage} stage={stage} isCurrent={stage === current} now={now} />
          ))}
        </ol>
        {sandbox.spawnAttempts > 1 && isMoving ? <span className="text-warn">Attempt {sandbox.spawnAttempts}</span> : null}
        {sandbox.stage === 'failed' ? <RetryButton sessionId={sessionId} /> : null}
      </div>
      {hasTrouble ? <Trouble cause={sandbox.reason?.message ?? 'This takes longer than it should.'} log={sandbox.logTail} isFailed={current?.state === 'failed'} /> : null}
    </section>
  );
}

const RESTING = ['ready', 'idle', 'stopped', 'lost', 'failed'];

const LOOKS = {
  done: { icon: Check, colour: 'text-muted' },
  running: { icon: LoaderCircle, colour: 'text-info' },
  slow: { icon: TriangleAlert, colour: 'text-warn' },
  resting: { icon: Pause, colour: 'text-muted' },
  failed: { icon: CircleX, colour: 'text-error' },
} as const;

function Stage({ stage: { name, state, startedAt, tookMs }, isCurrent, now }: { readonly stage: StageView; readonly isCurrent: boolean; readonly now: number }) {
  const { icon: Icon, colour } = LOOKS[state];
  const ms = tookMs ?? (state === 'running' || state === 'slow' ? now - startedAt : null);
  return (
    <li
      {...(isCurrent ? { 'aria-current': 'step' as const } : {})}
      // On a phone only what goes on now.
      className={classNames('items-center gap-1.5 whitespace-nowrap', colour, isCurrent ? 'flex font-medium' : 'hidden md:flex')}
    >
      <Icon size={12} aria-hidden className={classNames(state === 'running' && 'animate-spin')} />
      {name}
      {ms === null ? null : <span className="text-muted">{formatDuration(ms)}</span>}
      {isCurrent ? null : <ChevronRight size={12} aria-hidden className="text-faint" />}
    </li>
  );
}

function RetryButton({ sessionId }: { readonly sessionId: string }) {
  const retry = useRetrySandbox(sessionId);
  const start = (): void => retry.mutate(undefined, { onError: (error) => toast.error('The sandbox was not started again', { description: explain(error) }) });
  return (
    <Button className="ml-auto h-7" disabled={retry.isPending} onClick={start}>
      {retry.isPending ? 'Retrying' : 'Retry'}
    </Button>
  );
}

function Trouble({ cause, log, isFailed }: { readonly cause: string; readonly log: string; readonly isFailed: boolean }) {
  const [isOpen, setOpen] = useState(isFailed);
  return (
    <div className="pb-2">
      <p role={isFailed ? 'alert' : 'status'} className="text-ui break-words">
        {cause}
      </p>
      {log === '' ? null : (
        <>
          <Button kind="quiet" className="-ml-3 h-7 text-label" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'Hide the log' : 'Show the log'}
          </Button>
          {isOpen ? (
            <ScrollBox label="End of the sandbox’s log" className="max-h-[200px] overflow-auto rounded-sm border border-border bg-raised px-3 py-2 text-code">
              <pre>{log}</pre>
            </ScrollBox>
          ) : null}
        </>
      )}
    </div>
  );
}
