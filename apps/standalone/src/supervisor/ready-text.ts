import { relative } from 'node:path';

import { usesScriptedModel, type Installation } from './platform-environment.js';

/** What a person needs once everything runs. */
export async function readyText(installation: Installation, tookMs: number): Promise<string> {
  const { settings, home, token } = installation;
  const tokenFile = relative(process.cwd(), home.tokenFile);
  return [
    '',
    `Bullpen is ready after ${(tookMs / 1_000).toFixed(1)} s: http://${settings.BULLPEN_HOST}:${settings.BULLPEN_PORT}`,
    '',
    `  token  ${token}`,
    `         (kept in ${tokenFile.startsWith('..') ? home.tokenFile : tokenFile})`,
    `  try    ./bullpen run --repo sample $'write hello.txt: hi\\nrun: git status --short'`,
    '  stop   Ctrl-C here, or: make down',
    ...notices(installation).map((notice) => `\n! ${notice}`),
    '',
  ].join('\n');
}

function notices({ settings }: Installation): string[] {
  const scripted =
    'Scripted model: no API key set. Answers follow script lines in your prompt and come from no real model. To use one: ANTHROPIC_API_KEY=… make up';
  return usesScriptedModel(settings) ? [scripted] : [];
}
