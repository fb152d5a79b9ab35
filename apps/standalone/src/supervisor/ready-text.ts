import { relative } from 'node:path';

import { z } from 'zod';

import { modelInUse, usesScriptedModel, type Installation } from './platform-environment.js';
import { localUrl, type Settings } from './settings.js';

const REQUEST_TIMEOUT_MS = 5_000;
const SCRIPTED_MODEL_NOTICE =
  'Scripted model: no API key set. Answers follow the script lines of your prompt; no real model is asked. To use one: ANTHROPIC_API_KEY=… make up';

const FIRST_COMMANDS = {
  scripted: String.raw`./bullpen run --repo sample $'write hello.txt: hi\nrun: git status --short'`,
  real: './bullpen run --repo sample "Add a function that counts sentences, with a test."',
};
/** Of no use without a key. */
const MODEL_SETTINGS = ['ANTHROPIC_BASE_URL', 'BULLPEN_MODEL'] as const;

const codeSchema = z.object({ code: z.string() });
const agentsSchema = z.object({ sandbox: z.object({ warning: z.string().nullable() }).nullable() });

/** What a person needs once everything runs; `found` is what the start found worth telling. */
export async function readyText(installation: Installation, found: readonly string[], tookMs: number): Promise<string> {
  const { settings, home, token } = installation;
  const { model, address } = modelInUse(settings);
  const tokenFile = relative(process.cwd(), home.tokenFile);
  return [
    '',
    `Bullpen is ready after ${(tookMs / 1_000).toFixed(1)} s: ${localUrl(settings)}`,
    '',
    `  open   ${await signInLink(installation)}`,
    '         (signs one browser in, once; for another: ./bullpen open)',
    `  token  ${token}`,
    `         (kept in ${tokenFile.startsWith('..') ? home.tokenFile : tokenFile})`,
    `  model  ${model}${address === null ? ', no real one' : `, asked at ${address}`}`,
    `  try    ${address === null ? FIRST_COMMANDS.scripted : FIRST_COMMANDS.real}`,
    '  stop   Ctrl-C here, or: make down',
    ...[...found, ...(await notices(installation))].map((notice) => `\n! ${notice}`),
    '',
  ].join('\n');
}

async function notices(installation: Installation): Promise<string[]> {
  const warning = await sandboxWarning(installation);
  return [...modelNotices(installation.settings), ...(warning === null ? [] : [warning])];
}

export function modelNotices(settings: Settings): string[] {
  if (!usesScriptedModel(settings)) return [];
  const ignored = MODEL_SETTINGS.filter((name) => settings[name] !== undefined);
  return [SCRIPTED_MODEL_NOTICE, ...ignored.map((name) => `${name} is ignored: it needs ANTHROPIC_API_KEY beside it.`)];
}

/** The code stands behind `#`: browsers send that part to nobody. Without a code the page asks for the token. */
async function signInLink({ settings, token }: Installation): Promise<string> {
  try {
    const response = await fetch(`${localUrl(settings)}/api/v1/sign-in-codes`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return `${localUrl(settings)}/#code=${codeSchema.parse(await response.json()).code}`;
  } catch {
    return localUrl(settings);
  }
}

/** How sandboxes run is the platform's to say. */
async function sandboxWarning({ settings, token }: Installation): Promise<string | null> {
  try {
    const response = await fetch(`${localUrl(settings)}/api/v1/agents`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    return agentsSchema.parse(await response.json()).sandbox?.warning ?? null;
  } catch (error) {
    return `It is not known whether sandboxes are isolated: ${String(error)}`;
  }
}
