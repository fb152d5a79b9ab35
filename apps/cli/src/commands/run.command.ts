import { statSync } from 'node:fs';
import { resolve } from 'node:path';

import { createSession } from '../platform/sessions-api.js';
import type { CommandContext } from './command-context.js';
import { WHOLE_SESSION, readPrompt, watchToExit } from './command-context.js';

export interface RunOptions {
  readonly repo: string;
  readonly branch?: string;
  readonly title?: string;
}

/** `bullpen run`: a new session with its first prompt, shown until that turn ends. */
export async function run(context: CommandContext, prompt: string, { repo, branch, title }: RunOptions): Promise<number> {
  const text = await readPrompt(context.host, prompt);
  const repository = repositoryOf(repo, context.host.cwd);
  const { id, promptId } = await createSession(context.api, { repository, prompt: text, ...(branch ? { branch } : {}), ...(title ? { title } : {}) });
  return watchToExit(context, { sessionId: id, after: WHOLE_SESSION, goal: { kind: 'prompt', promptId } });
}

/** A path becomes absolute, because the platform has another working directory; names and URLs stay. */
export function repositoryOf(given: string, cwd: string): string {
  if (/^[a-z][a-z+]*:\/\//i.test(given) || /^[^/]+@[^/]+:/.test(given)) return given;
  const isPath = given === '.' || given === '..' || /^(\/|\.\.?\/)/.test(given);
  return isPath || (given !== 'sample' && isFolder(resolve(cwd, given))) ? resolve(cwd, given) : given;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
