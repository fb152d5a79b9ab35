import type { Isolation, RunnerSpec } from '@bullpen/contracts';

export type SandboxFeature = 'isolation' | 'endpoints';

/** Names one sandbox of one generation for ever: `<sessionId>-<generation>`. */
export type SandboxId = string;

/** What a sandbox is to be. The same id always comes with the same spec. */
export interface SandboxSpec {
  readonly sessionId: string;
  readonly generation: number;
  /** What the runner is told; the driver fills in `paths`, `sourcePath` and the paths of `checkpoint` and `transcriptPath`. */
  readonly runner: Omit<RunnerSpec, 'paths' | 'sourcePath' | 'checkpoint' | 'transcriptPath' | 'sandboxId' | 'sessionId' | 'generation'>;
  /** Absolute path on the driver's host to bind read-only as the clone source; null for a URL. */
  readonly sourcePath: string | null;
  /** Given to the sandbox as a read-only file. */
  readonly checkpoint: { readonly sha: string; readonly base: string; readonly bundle: Uint8Array } | null;
  /** Given to the sandbox as a read-only file. */
  readonly transcript: string | null;
  /** A sandbox of an older generation of the session, whose workspace and home may be taken over instead of restoring. */
  readonly takeOver: SandboxId | null;
  /** Environment variables whose values never appear in arguments, files, events or logs. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** pending: being made · running: its runner's process lives · exited: it ended, by itself or killed · failed: it could not be made. */
export type ObservedPhase = 'pending' | 'running' | 'exited' | 'failed';

export interface ObservedSandbox {
  readonly id: SandboxId;
  readonly phase: ObservedPhase;
  /** Of the runner; null while it lives, and when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Last lines of the runner's output; never holds a secret of the spec. */
  readonly logTail: string;
}

/** `resync` carries everything that exists: what it leaves out does not exist. */
export type SandboxObservation =
  | { readonly kind: 'resync'; readonly sandboxes: readonly ObservedSandbox[] }
  | { readonly kind: 'changed'; readonly sandbox: ObservedSandbox }
  | { readonly kind: 'removed'; readonly id: SandboxId };

/** Somewhere sandboxes run. Every call may be repeated: the id names the resource. Sandboxes outlive the caller. */
export interface SandboxDriver {
  /** `local`, `fake`. */
  readonly name: string;
  readonly supports: ReadonlySet<SandboxFeature>;
  readonly isolation: Isolation;
  /** What a person must know about how sandboxes run here; null when nothing. */
  readonly warning: string | null;
  /** A resync first, then changes; resyncs itself. Ends when the signal aborts. */
  observe(signal: AbortSignal): AsyncIterable<SandboxObservation>;
  /** Makes it so, or leaves it when it already exists (also when it has exited: an id never runs twice). @throws Fault `sandbox.apply-failed` */
  apply(id: SandboxId, spec: SandboxSpec, signal: AbortSignal): Promise<void>;
  /** Ends everything that the sandbox started, then its files; absent is success. `keepWorkspace` leaves what `takeOver` can use. */
  remove(id: SandboxId, options: { readonly keepWorkspace: boolean }, signal: AbortSignal): Promise<void>;
}
