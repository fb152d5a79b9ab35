import { relative } from 'node:path';

import { z } from 'zod';

import { usesScriptedModel, type Installation } from './platform-environment.js';
import { localUrl } from './settings.js';

const WARNING_TIMEOUT_MS = 5_000;
const SCRIPTED_MODEL_NOTICE =
  'Scripted model: no API key set. Answers follow the script lines of your prompt; no real model is asked. To use one: ANTHROPIC_API_KEY=… make up';

const agentsSchema = z.object({ sandbox: z.object({ warning: z.string().nullable() }).nullable() });

/** What a person needs once everything runs. */
export async function readyText(installation: Installation, tookMs: number): Promise<string> {
  const { settings, home, token } = installation;
  const tokenFile = relative(process.cwd(), home.tokenFile);
  return [
    '',
    `Bullpen is ready after ${(tookMs / 1_000).toFixed(1)} s: ${localUrl(settings)}`,
    '',
    `  token  ${token}`,
    `         (kept in ${tokenFile.startsWith('..') ? home.tokenFile : tokenFile})`,
    `  try    ./bullpen run --repo sample $'write hello.txt: hi\\nrun: git status --short'`,
    '  stop   Ctrl-C here, or: make down',
    ...(await notices(installation)).map((notice) => `\n! ${notice}`),
    '',
  ].join('\n');
}

async function notices(installation: Installation): Promise<string[]> {
  const warning = await sandboxWarning(installation);
  return [...(usesScriptedModel(installation.settings) ? [SCRIPTED_MODEL_NOTICE] : []), ...(warning === null ? [] : [warning])];
}

/** How sandboxes run is the platform's to say. */
async function sandboxWarning({ settings, token }: Installation): Promise<string | null> {
  try {
    const response = await fetch(`${localUrl(settings)}/api/v1/agents`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(WARNING_TIMEOUT_MS),
    });
    return agentsSchema.parse(await response.json()).sandbox?.warning ?? null;
  } catch (error) {
    return `It is not known whether sandboxes are isolated: ${String(error)}`;
  }
}
