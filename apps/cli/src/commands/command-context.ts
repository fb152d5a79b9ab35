import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { SessionState } from '@bullpen/session-model';

import { EXIT, exitCodeOf } from '../exit-codes.js';
import type { CliHost } from '../host.js';
import type { ApiClient } from '../platform/api-client.js';
import type { KnownBefore } from '../render/session-renderer.js';
import type { WatchOptions, WatchResult } from '../watch/watch-session.js';
import { watchSession } from '../watch/watch-session.js';

type WatchEnd = Extract<WatchResult, { kind: 'ended' }>;

/** What every command works with. */
export interface CommandContext {
  readonly host: CliHost;
  readonly api: ApiClient;
}

/** Shows the session, says how to come back to it, and answers with the exit code. */
export async function watchToExit({ host, api }: CommandContext, options: WatchOptions): Promise<number> {
  const { sessionId } = options;
  const result = await watchSession(host, api.address, options);
  if (result.kind === 'detached') {
    host.stderr.write(`\nDetached; the session goes on. To attach again:  ./bullpen attach ${sessionId}\n`);
    return EXIT.detached;
  }
  const next = nextStep(result, sessionId);
  if (next !== null) host.stderr.write(`${next}\n`);
  if (result.outcome !== null) return exitCodeOf(result.outcome);
  return result.isPaused ? EXIT.notCompleted : EXIT.completed;
}

/** What helps after that end: a retry, unless it would end in the same way. */
function nextStep({ outcome, isPaused, failureCode }: WatchEnd, sessionId: string): string | null {
  if (outcome !== 'failed' && !isPaused) return null;
  switch (failureCode) {
    case 'model.not-configured':
      return 'To use the model that the platform has now, start a new session:  ./bullpen run --repo <repository> "<prompt>"';
    case 'checkpoint.holds-secret':
      return `To go on:  ./bullpen prompt ${sessionId} "remove the key from the files"`;
    case 'model.output-limit':
      return `To go on:  ./bullpen prompt ${sessionId} "go on"`;
    default:
      return isPaused
        ? `Prompts wait because no sandbox could be started. To go on:  ./bullpen retry ${sessionId}`
        : `To try that turn again:  ./bullpen retry ${sessionId}`;
  }
}

/** What a reader would know had they watched until now. */
export function knownFrom({ modelProvider, sandbox, turns, queue }: SessionState): KnownBefore {
  const last = turns.at(-1);
  const waiting = queue.map(({ promptId, text, author }) => ({ promptId, text, author: author.name }));
  const prompts = last === undefined ? waiting : [{ promptId: last.promptId, text: last.prompt, author: last.author.name }, ...waiting];
  return { modelProvider, isolation: sandbox.isolation, prompts };
}

/** `-`: from standard input. */
export async function readPrompt(host: CliHost, given: string): Promise<string> {
  const text = given === '-' ? await host.readStdin() : given;
  if (text.trim() !== '') return text;
  throw new Rejection('prompt.empty', 'The prompt is empty.', { next: 'say what the agent is to do, or pipe it in with -' });
}

/** An empty value usually is a variable that was not set. @throws Rejection `argument.invalid` */
export function requireGiven(option: string, value: string | undefined): void {
  if (value === undefined || value.trim() !== '') return;
  throw new Rejection('argument.invalid', `${option} is empty.`, { next: `give ${option} a value, or leave it out where it is optional` });
}

/** @throws Rejection `argument.invalid` */
export function eventPosition(given: string): string {
  if (/^(0|[1-9][0-9]{0,19})$/.test(given)) return given;
  throw new Rejection('argument.invalid', `--after ${given} is no event id.`, { next: 'use 0, or an id that ./bullpen events shows' });
}

export const WHOLE_SESSION = BEFORE_ALL_EVENTS;
