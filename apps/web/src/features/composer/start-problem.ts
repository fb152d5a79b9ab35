import { ApiError } from '../../lib/api.js';

export type StartField = 'prompt' | 'repository' | 'branch' | 'agent';

/** The field that the platform objects to, by the error's code; null when nothing in the form can mend it. */
export function fieldOf(error: unknown): StartField | null {
  if (!(error instanceof ApiError) || error.isUnclear) return null;
  if (error.code === 'repository.branch-missing') return 'branch';
  const [subject] = error.code.split('.');
  return subject === 'repository' || subject === 'prompt' || subject === 'agent' ? subject : null;
}
