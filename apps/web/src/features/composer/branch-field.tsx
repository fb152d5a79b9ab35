import { GitBranch } from 'lucide-react';
import { useEffect, useRef } from 'react';

export interface BranchFieldProps {
  readonly branch: string;
  /** Of the chosen repository: used when nothing is typed. */
  readonly defaultBranch: string;
  readonly isInvalid: boolean;
  /** What explains it. */
  readonly describedBy: string | undefined;
  readonly onChange: (branch: string) => void;
}

/** Where the session starts from. */
export function BranchField({ branch, defaultBranch, isInvalid, describedBy, onChange }: BranchFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isInvalid) field.current?.focus();
  }, [isInvalid]);
  return (
    <label className="inline-flex h-8 items-center gap-1.5 rounded-sm border border-border px-2.5 text-ui has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-accent has-[input[aria-invalid=true]]:border-error pointer-coarse:h-11">
      <GitBranch size={14} aria-hidden className="shrink-0 text-muted" />
      <span className="sr-only">Branch</span>
      <input
        ref={field}
        value={branch}
        placeholder={defaultBranch === '' ? 'Default branch' : defaultBranch}
        aria-invalid={isInvalid}
        aria-describedby={describedBy}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        className="field-sizing-content max-w-[180px] min-w-[64px] bg-transparent text-ui outline-none placeholder:text-muted pointer-coarse:text-lead"
      />
    </label>
  );
}
