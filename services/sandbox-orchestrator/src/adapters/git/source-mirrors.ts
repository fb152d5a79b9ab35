import { assert } from '@bullpen/errors';
import { Mirror, isReadableUnprivileged, parseSource } from '@bullpen/scm';
import type { SourceMirrorRequest, SourceRules } from '@bullpen/scm';
import type { Logger } from '@bullpen/telemetry';

import type { Generation, SandboxedSession } from '../../core/sandbox.state.js';

export interface SourceMirrorsParts {
  readonly mirrorsFolder: string;
  readonly sourceRules: SourceRules;
  /** Instead of a fetch into the mirror. */
  readonly provideSource?: (request: SourceMirrorRequest) => Promise<string>;
  readonly logger: Logger;
  /** A fetch ended. */
  readonly onChange: (sessionId: string) => void;
}

/** `sourcePath` is the SandboxSpec's. */
export type ProvidedSource = { readonly kind: 'fetching' } | { readonly kind: 'ready'; readonly sourcePath: string | null };

type FetchEnd = { readonly sourcePath: string | null } | { readonly error: unknown };

interface Fetch {
  readonly sandboxId: string;
  readonly abort: AbortController;
  ended: FetchEnd | null;
}

/**
 * Where sandboxes clone from: a path as it is, a URL from a mirror that the platform fetches with its own credentials, and so a path
 * that only root may read, which a sandbox never is. Fetches run beside the steps of the reconciler, which they would hold up; as many as there are sandboxes to be made.
 */
export class SourceMirrors {
  /** By session. */
  readonly #fetches = new Map<string, Fetch>();
  readonly #running = new Set<Promise<void>>();

  constructor(private readonly parts: SourceMirrorsParts) {}

  /**
   * Starts a fetch, or says how it ended, once: asked again after that, it fetches again.
   *
   * @throws what Mirror.provideSource throws, and parseSource
   */
  provide(session: SandboxedSession, { sandboxId }: Generation): ProvidedSource {
    const { work, sessionId } = session;
    assert(work, `session ${sessionId} wants a source before it was created`);
    const { source } = work.repository;
    if (source.startsWith('/') && isReadableUnprivileged(source)) return { kind: 'ready', sourcePath: source };
    this.keep(sessionId, sandboxId);
    const { ended } = this.#fetches.get(sessionId) ?? this.#start(session, sandboxId);
    if (ended === null) return { kind: 'fetching' };
    this.#fetches.delete(sessionId);
    if ('error' in ended) throw ended.error;
    return { kind: 'ready', ...ended };
  }

  isFetching(sessionId: string): boolean {
    return this.#fetches.get(sessionId)?.ended === null;
  }

  /** Ends what is being fetched for another sandbox of the session than this one. */
  keep(sessionId: string, sandboxId: string | null): void {
    const fetch = this.#fetches.get(sessionId);
    if (!fetch || fetch.sandboxId === sandboxId) return;
    fetch.abort.abort();
    this.#fetches.delete(sessionId);
  }

  async stop(): Promise<void> {
    for (const sessionId of [...this.#fetches.keys()]) this.keep(sessionId, null);
    await Promise.all(this.#running);
  }

  #start(session: SandboxedSession, sandboxId: string): Fetch {
    const { sessionId } = session;
    const fetch: Fetch = { sandboxId, abort: new AbortController(), ended: null };
    this.#fetches.set(sessionId, fetch);
    const running = this.#fetch(session, fetch).then((ended) => {
      fetch.ended = ended;
      this.#running.delete(running);
      if (!fetch.abort.signal.aborted) this.parts.onChange(sessionId);
    });
    this.#running.add(running);
    return fetch;
  }

  async #fetch({ work, sessionId, workspaceOf }: SandboxedSession, { sandboxId, abort }: Fetch): Promise<FetchEnd> {
    const { mirrorsFolder, sourceRules, logger } = this.parts;
    const provideSource = this.parts.provideSource ?? ((request: SourceMirrorRequest) => Mirror.provideSource(request));
    try {
      assert(work, `session ${sessionId} wants a source before it was created`);
      const { repository, branch } = work;
      const source = parseSource(repository.source, sourceRules);
      const { signal } = abort;
      return { sourcePath: await provideSource({ mirrorsFolder, repositoryId: repository.id, source, branch, signal }) };
    } catch (error) {
      if (workspaceOf === null || abort.signal.aborted) return { error };
      // The workspace is there already: a session outlives its branch, and a source that is out of reach.
      logger.warn('source not fetched for a kept workspace', { sessionId, sandboxId, error });
      return { sourcePath: null };
    }
  }
}
