import { MODEL_KEY_VARIABLE } from '@bullpen/contracts';
import type { ModelProvider } from '@bullpen/contracts';
import { signSandboxToken } from '@bullpen/auth';
import { Rejection, assert } from '@bullpen/errors';
import type { EventLog, ObjectStore } from '@bullpen/event-log';
import type { SandboxSpec } from '@bullpen/sandbox-driver';

import { MAX_TRANSCRIPT_CHARS, TOKEN_LIFETIME_MS } from '../../core/bounds.js';
import type { Generation, SandboxedSession } from '../../core/sandbox.state.js';
import { addToTranscript, newTranscript, renderTranscript } from '../../core/transcript.js';

export interface ModelAccess {
  readonly provider: ModelProvider;
  /** Null: the provider's own address. */
  readonly baseUrl: string | null;
  /** Null for the scripted model. */
  readonly apiKey: string | null;
}

export interface SpecSources {
  readonly log: EventLog;
  readonly objects: ObjectStore;
  readonly model: ModelAccess;
  /** Signs sandbox tokens. */
  readonly tokenKey: string;
  /** ws://127.0.0.1:<port>/runner */
  readonly linkUrl: string;
  /** Every replica's. */
  readonly linkUrls: readonly string[];
}

/** What a sandbox is asked for with, and where it reads its source from: as the driver's `sourcePath`. */
export interface SpecRequest {
  readonly session: SandboxedSession;
  readonly sandbox: Generation;
  readonly sourcePath: string | null;
}

/**
 * What a generation's sandbox is to be; the same for every call, because it is made from the log up to the generation's request.
 *
 * @throws Rejection `object.not-found` when the last checkpoint's bundle is gone, `model.not-configured`
 */
export async function sandboxSpec({ session, sandbox, sourcePath }: SpecRequest, sources: SpecSources): Promise<SandboxSpec> {
  const { work, sessionId } = session;
  assert(work, `session ${sessionId} wants a sandbox before it was created`);
  requireModel(work.modelProvider, sources.model);
  const { repository, branch, agent: name, model, modelProvider } = work;
  const { sandboxId, generation } = sandbox;
  const expiresAt = Date.parse(sandbox.requestedAt) + TOKEN_LIFETIME_MS;
  const { baseUrl, apiKey } = sources.model;
  return {
    sessionId,
    generation,
    runner: {
      linkUrl: sources.linkUrl,
      linkUrls: [...sources.linkUrls],
      token: signSandboxToken({ sandboxId, sessionId, generation, expiresAt }, sources.tokenKey),
      repository: { name: repository.name, source: repository.source, branch },
      agent: { name, model, modelProvider, baseUrl },
    },
    sourcePath,
    checkpoint: await checkpointOf(session, sources.objects),
    transcript: session.hasConversation ? await transcriptOf(session, sandbox, sources.log) : null,
    takeOver: session.workspaceOf === sandboxId ? null : session.workspaceOf,
    secrets: apiKey === null ? {} : { [MODEL_KEY_VARIABLE]: apiKey },
  };
}

function requireModel(wanted: ModelProvider, { provider }: ModelAccess): void {
  if (wanted === provider) return;
  const restart = wanted === 'anthropic' ? 'with ANTHROPIC_API_KEY set' : 'without ANTHROPIC_API_KEY';
  throw new Rejection('model.not-configured', `This session uses the ${wanted} model; the platform runs with ${provider}. Start a new session, or the platform ${restart}.`);
}

async function checkpointOf({ checkpoint }: SandboxedSession, objects: ObjectStore): Promise<SandboxSpec['checkpoint']> {
  if (!checkpoint || checkpoint.bundle.sha256 === '') return null;
  return { sha: checkpoint.sha, base: checkpoint.base, bundle: await objects.get(checkpoint.bundle.sha256) };
}

async function transcriptOf({ sessionId }: SandboxedSession, sandbox: Generation, log: EventLog): Promise<string | null> {
  let transcript = newTranscript();
  for await (const event of log.readSession(sessionId, { after: '0', throughSequence: sandbox.requestedSequence })) {
    transcript = addToTranscript(transcript, event);
  }
  return renderTranscript(transcript, MAX_TRANSCRIPT_CHARS);
}
