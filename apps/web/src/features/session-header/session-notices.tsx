import { FlaskConical, ShieldOff } from 'lucide-react';

import { ISOLATION_NOTICE, SCRIPTED_MODEL_NOTICE } from '@bullpen/contracts';

import { useSessionState } from '../../lib/session-context.js';

/** What holds for the whole session and must not be overlooked. */
export function SessionNotices() {
  const isScripted = useSessionState((state) => state.modelProvider === 'scripted');
  const isUnisolated = useSessionState((state) => state.sandbox.isolation === 'none');
  if (!isScripted && !isUnisolated) return null;
  return (
    <ul aria-label="Notices" className="flex flex-wrap gap-x-6 gap-y-1 border-b border-border px-4 py-1 text-label text-muted">
      {isScripted ? (
        <li className="flex items-center gap-2">
          <FlaskConical size={14} aria-hidden className="shrink-0" />
          {SCRIPTED_MODEL_NOTICE}
        </li>
      ) : null}
      {isUnisolated ? (
        <li className="flex items-center gap-2 text-warn">
          <ShieldOff size={14} aria-hidden className="shrink-0" />
          {ISOLATION_NOTICE}
        </li>
      ) : null}
    </ul>
  );
}
