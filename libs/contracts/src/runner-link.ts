import { z } from 'zod';

import { RUNNER_STAGES } from './closed-sets.js';
import { MAX_OBJECT_BYTES } from './limits.js';

/**
 * The runner link: one WebSocket from a runner to the orchestrator. Text messages are JSON of the unions below. An object goes up
 * as `object`, then its bytes as binary messages of at most OBJECT_CHUNK_BYTES, one object at a time, and is answered by
 * `objectStored`; only then may a frame name it.
 *
 * Greeting (ADR 0019): `hello` up, `challenge` down, `proof` up, `welcome` or `refused` down. A runner believes nothing before a
 * `challenge` that proves itself; the orchestrator does nothing for a runner before its `proof`.
 *
 * Order: the greeting first; frames by number, without gaps; `acknowledged` is cumulative and sent once the append is known.
 * Repeats: frames at or below `appendedThrough` are dropped; a prompt for an attempt that already began is ignored.
 */
export const RUNNER_LINK_PROTOCOL = 2;
export const RUNNER_LINK_PATH = '/runner';
export const OBJECT_CHUNK_BYTES = 256 * 1024;
/** One text message. Larger ones close the link. */
export const MAX_LINK_MESSAGE_BYTES = 1024 * 1024;
/** One message before the other side has proved itself. Larger ones close the link. */
export const MAX_GREETING_BYTES = 2_048;
export const MAX_LINK_URLS = 16;
export const HEARTBEAT_INTERVAL_MS = 10_000;
/** Silence for this long makes a sandbox stale. */
export const HEARTBEAT_STALE_MS = 60_000;
/** A runner that cannot reach its orchestrator for this long ends itself. */
export const RUNNER_RECONNECT_MS = 120_000;

const count = z.number().int().nonnegative();
const reason = z.strictObject({ code: z.string().max(100), message: z.string().max(2_000) });
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** 256 bits. */
const base64url = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const attempt = { turnId: z.string().min(1).max(64), attempt: z.number().int().positive() };

export const frameSchema = z.strictObject({
  /** From 1, without gaps, within a generation. */
  n: z.number().int().positive(),
  type: z.string().max(64),
  turnId: z.string().max(64).optional(),
  /** Checked by `parseEventData`; a frame that fails becomes FrameRejected. */
  data: z.record(z.string(), z.unknown()),
});
export type RunnerFrame = z.infer<typeof frameSchema>;

export const runnerMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('hello'),
    protocol: z.literal(RUNNER_LINK_PROTOCOL),
    sandboxId: z.string().max(64),
    sessionId: z.string().max(64),
    generation: z.number().int().positive(),
    /** Of the sandbox token, Unix time in milliseconds. */
    expiresAt: z.number().int(),
    nonce: base64url,
  }),
  /** That the runner holds the sandbox token: `libs/auth`, RunnerHandshake. */
  z.strictObject({ kind: z.literal('proof'), proof: base64url }),
  z.strictObject({ kind: z.literal('frames'), frames: z.array(frameSchema).min(1).max(256) }),
  z.strictObject({ kind: z.literal('object'), sha256, bytes: count.max(MAX_OBJECT_BYTES) }),
  /** Level-based: sent every HEARTBEAT_INTERVAL_MS and at once when the stage changes; never spooled. */
  z.strictObject({
    kind: z.literal('heartbeat'),
    stage: z.enum(RUNNER_STAGES),
    /** When the stage began, RFC 3339. */
    since: z.string().max(40),
    turn: z.strictObject(attempt).nullable(),
  }),
  /** The workspace could not be made ready; the runner exits after sending it. */
  z.strictObject({ kind: z.literal('failed'), reason }),
]);
export type RunnerMessage = z.infer<typeof runnerMessageSchema>;

export const orchestratorMessageSchema = z.discriminatedUnion('kind', [
  /** That the orchestrator knows the sandbox token: `libs/auth`, OrchestratorHandshake. */
  z.strictObject({ kind: z.literal('challenge'), nonce: base64url, proof: base64url }),
  z.strictObject({ kind: z.literal('welcome'), appendedThrough: count }),
  z.strictObject({ kind: z.literal('acknowledged'), through: count }),
  z.strictObject({ kind: z.literal('objectStored'), sha256 }),
  z.strictObject({
    kind: z.literal('prompt'),
    ...attempt,
    text: z.string(),
    author: z.strictObject({ name: z.string(), email: z.string() }),
    /** W3C trace context of the request that started the turn. */
    traceparent: z.string().max(100).optional(),
  }),
  z.strictObject({ kind: z.literal('cancel'), turnId: z.string() }),
  /** Ends the sandbox: the turn is cancelled, the checkpoint is made, then the runner exits 0. */
  z.strictObject({ kind: z.literal('stop'), reason }),
  /** The runner is not wanted (superseded, forged, malformed): it ends the agent and exits 3. */
  z.strictObject({ kind: z.literal('refused'), reason }),
]);
export type OrchestratorMessage = z.infer<typeof orchestratorMessageSchema>;

/**
 * How a driver tells a runner what it is: JSON in the file named by BULLPEN_RUNNER_SPEC, mode 0600. Secrets are not in it; they
 * come as environment variables and are taken out of the runner's environment before any child starts.
 */
export const runnerSpecSchema = z.strictObject({
  sessionId: z.string(),
  sandboxId: z.string(),
  generation: z.number().int().positive(),
  /** ws://127.0.0.1:<port>/runner */
  linkUrl: z.url(),
  /** Of all replicas, where there are several: the runner tries one after the other until the session's owner welcomes it. */
  linkUrls: z.array(z.url()).max(MAX_LINK_URLS).optional(),
  token: z.string(),
  repository: z.strictObject({ name: z.string(), source: z.string(), branch: z.string() }),
  /** Set when the source is a local path: where the sandbox finds it, read-only. */
  sourcePath: z.string().nullable(),
  /** Restore from here instead of from the source's branch: the last checkpoint of the generation before. */
  checkpoint: z.strictObject({ sha: z.string(), base: z.string(), bundlePath: z.string() }).nullable(),
  /** Conversation so far, for an agent whose own state is gone: markdown; null for a new session. */
  transcriptPath: z.string().nullable(),
  agent: z.strictObject({ name: z.string(), model: z.string(), modelProvider: z.enum(['anthropic', 'scripted']), baseUrl: z.url().nullable() }),
  /** Absolute paths as the sandbox sees them. */
  paths: z.strictObject({ workspace: z.string(), home: z.string(), spool: z.string() }),
});
export type RunnerSpec = z.infer<typeof runnerSpecSchema>;

/** Environment of a runner: the spec's path, the id that a kill looks for, and the model key when there is one. */
export const RUNNER_SPEC_VARIABLE = 'BULLPEN_RUNNER_SPEC';
export const SANDBOX_ID_VARIABLE = 'BULLPEN_SANDBOX_ID';
export const MODEL_KEY_VARIABLE = 'ANTHROPIC_API_KEY';

/** How a runner's process ends, as its exit code. */
export const RUNNER_EXIT = { stopped: 0, crashed: 1, workspaceFailed: 2, refused: 3, linkLost: 4 } as const;
