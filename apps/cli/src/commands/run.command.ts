import { warning } from '../output.js';
import { givenRepository } from '../platform/local-repository.js';
import { resolveRepository } from '../platform/repositories-api.js';
import { createSession } from '../platform/sessions-api.js';
import type { CommandContext } from './command-context.js';
import { WHOLE_SESSION, readPrompt, requireGiven, watchToExit } from './command-context.js';

/** The platform knows it by that name, without a look into its list. */
const SAMPLE = 'sample';

export interface RunOptions {
  readonly repo: string;
  readonly branch?: string;
  readonly title?: string;
}

/** `bullpen run`: a new session with its first prompt, shown until that turn ends. */
export async function run(context: CommandContext, prompt: string, { repo, branch, title }: RunOptions): Promise<number> {
  requireGiven('--repo', repo);
  requireGiven('--branch', branch);
  requireGiven('--title', title);
  const text = await readPrompt(context.host, prompt);
  const { repository: source, uncommitted, isName } = givenRepository(repo, context.host.cwd);
  if (uncommitted > 0) warning(context, uncommittedText(uncommitted));
  const repository = isName && source !== SAMPLE ? (await resolveRepository(context.api, source)).id : source;
  const { id, promptId } = await createSession(context.api, { repository, prompt: text, ...(branch ? { branch } : {}), ...(title ? { title } : {}) });
  return watchToExit(context, { sessionId: id, after: WHOLE_SESSION, goal: { kind: 'prompt', promptId } });
}

function uncommittedText(count: number): string {
  const changes = count === 1 ? '1 uncommitted change is' : `${count} uncommitted changes are`;
  return `${changes} not included: the session starts from the last commit of the branch.`;
}
