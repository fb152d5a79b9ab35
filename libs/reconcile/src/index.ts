export { backoffMs, startReconciler, DEFAULT_BACKOFF, DEFAULT_CONCURRENCY, DEFAULT_RESYNC_MS } from './reconciler.js';
export type { Backoff, Reconciler, ReconcilerCounts, ReconcilerOptions, StepResult } from './reconciler.js';
