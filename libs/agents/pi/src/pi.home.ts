import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { AgentLaunch, AgentProcess } from '@bullpen/agent-port';

/** Name of pi's provider for the scripted model, and the key that its server ignores. */
export const SCRIPTED_PROVIDER = 'scripted';
const SCRIPTED_KEY = 'scripted';
const KEY_VARIABLE = 'ANTHROPIC_API_KEY';

export interface PiHome {
  /** pi's own configuration: PI_CODING_AGENT_DIR. */
  readonly directory: string;
  /** File of the one conversation that this home holds. */
  readonly conversation: string;
  readonly begins: AgentProcess['conversation'];
}

/**
 * Writes what pi reads at its start. Repeatable; an existing conversation is kept when `launch.resume` says so, else set aside.
 * The model key is not in any of it.
 */
export async function preparePiHome(launch: AgentLaunch): Promise<PiHome> {
  const directory = join(launch.home, '.pi', 'agent');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'models.json'), JSON.stringify(modelsOf(launch), null, 2), { mode: 0o600 });
  await writeFile(join(directory, 'settings.json'), JSON.stringify(SETTINGS, null, 2), { mode: 0o600 });
  // Not in `directory`: pi moves conversations that it finds there.
  const conversation = join(launch.home, '.pi', 'conversation', 'session.jsonl');
  await mkdir(dirname(conversation), { recursive: true, mode: 0o700 });
  const kept = launch.resume ? await readConversation(conversation) : '';
  const resumed = kept.includes(USER_MESSAGE);
  await replaceFile(conversation, ownedBy(kept, launch.cwd));
  if (!resumed) await writeTranscript(join(directory, 'APPEND_SYSTEM.md'), launch.transcript);
  return { directory, conversation, begins: resumed ? 'resumed' : launch.transcript ? 'replayed' : 'new' };
}

/** How an entry of a conversation that someone prompted looks; a quoted one has its quotes escaped. */
const USER_MESSAGE = '"message":{"role":"user"';

const SETTINGS = {
  enableInstallTelemetry: false,
  enableAnalytics: false,
  quietStartup: true,
  // The key is for pi; the commands that the model makes it run have no use for it.
  shellCommandPrefix: `unset ${KEY_VARIABLE}`,
};

function modelsOf({ modelProvider, baseUrl, model }: AgentLaunch): Record<string, unknown> {
  switch (modelProvider) {
    case 'anthropic':
      return { providers: baseUrl === null ? {} : { anthropic: { baseUrl: withoutVersion(baseUrl) } } };
    case 'scripted': {
      const address = baseUrl === null ? {} : { baseUrl: withoutVersion(baseUrl) };
      const models = [{ id: model, contextWindow: 200_000, maxTokens: 8_192 }];
      return { providers: { [SCRIPTED_PROVIDER]: { ...address, api: 'anthropic-messages', apiKey: SCRIPTED_KEY, models } } };
    }
  }
}

/** Clients of the Messages API add `/v1` themselves; an address that already ends in it would be asked twice. */
function withoutVersion(baseUrl: string): string {
  return baseUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
}

/** What of the last conversation is whole: a killed pi may leave half a line, to which it would append. */
async function readConversation(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(0, text.lastIndexOf('\n') + 1);
}

/** pi works in the folder that a conversation names first; a workspace that was taken over may lie elsewhere. */
function ownedBy(conversation: string, cwd: string): string {
  const end = conversation.indexOf('\n');
  if (end < 0) return '';
  try {
    const header = JSON.parse(conversation.slice(0, end)) as Record<string, unknown>;
    return `${JSON.stringify({ ...header, cwd })}${conversation.slice(end)}`;
  } catch {
    return '';
  }
}

/** A file that is there but empty makes pi write every entry at once, also before the model's first answer. */
async function replaceFile(path: string, content: string): Promise<void> {
  const next = `${path}.next`;
  await writeFile(next, content, { mode: 0o600 });
  await rename(next, path);
}

async function writeTranscript(path: string, transcript: string | null): Promise<void> {
  if (transcript === null || transcript === '') return rm(path, { force: true });
  await writeFile(path, `${TRANSCRIPT_HEADING}\n\n${transcript}\n`, { mode: 0o600 });
}

const TRANSCRIPT_HEADING =
  '# Conversation so far\n\nThis conversation began in an earlier sandbox. Its transcript follows; the work described is already in ' +
  'the working tree. Use it as context, and do not repeat finished work.';
