import { BEFORE_ALL_EVENTS } from '@bullpen/contracts';
import type { TurnOutcome } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { SessionState } from '@bullpen/session-model';

import { EXIT, exitCodeOf } from '../exit-codes.js';
import type { CliHost } from '../host.js';
import { jsonLine, notice } from '../output.js';
import type { Voice } from '../output.js';
import type { ApiClient } from '../platform/api-client.js';
import type { KnownBefore } from '../render/session-renderer.js';
import type { WatchOptions, WatchResult } from '../watch/watch-session.js';
import { watchSession } from '../watch/watch-session.js';

type WatchEnd = Extract<WatchResult, { kind: 'ended' }>;

/** What every command works with. */
export interface CommandContext extends Voice {
  readonly api: ApiClient;
}

/** The last line of every stream with `--json`, after its events. */
export interface StreamSummary {
  readonly type: 'summary';
  readonly sessionId: string;
  /** The last event printed; `0` when none was. */
  readonly head: string;
  /** paused: prompts wait behind a sandbox that could not be started; detached: Ctrl-C; nothing: there was nothing to retry. */
  readonly end: 'reached' | 'paused' | 'detached' | 'nothing';
  /** Of the turn watched, or of the last one; null when none has ended. */
  readonly outcome: TurnOutcome | null;
  /** Why that turn failed. */
  readonly failureCode: string | null;
  /** The command that helps. */
  readonly next: string | null;
  readonly exitCode: number;
}

/** Shows the session, says how to come back to it, and answers with the exit code. */
export async function watchToExit(context: CommandContext, options: WatchOptions): Promise<number> {
  const { sessionId } = options;
  const result = await watchSession(context, context.api.address, options);
  const summary = summaryOf(result, sessionId);
  if (context.json) context.host.stdout.write(jsonLine(summary));
  else if (result.kind === 'detached') notice(context, `\nDetached; the session goes on. To attach again:  ${summary.next}`);
  else if (summary.next !== null) notice(context, `${reasonToGoOn(result)}:  ${summary.next}`);
  return summary.exitCode;
}

export function detachedSummary(sessionId: string, head: string): StreamSummary {
  const next = `./bullpen attach ${sessionId}`;
  return { type: 'summary', sessionId, head, end: 'detached', outcome: null, failureCode: null, next, exitCode: EXIT.detached };
}

export function plainSummary(sessionId: string, head: string, end: 'reached' | 'nothing'): StreamSummary {
  return { type: 'summary', sessionId, head, end, outcome: null, failureCode: null, next: null, exitCode: EXIT.completed };
}

function summaryOf(result: WatchResult, sessionId: string): StreamSummary {
  const { head } = result;
  if (result.kind === 'detached') return detachedSummary(sessionId, head);
  const { outcome, isPaused, failureCode } = result;
  const unfinished = isPaused ? EXIT.notCompleted : EXIT.completed;
  const exitCode = outcome === null ? unfinished : exitCodeOf(outcome);
  const end = isPaused ? 'paused' : 'reached';
  return { type: 'summary', sessionId, head, end, outcome, failureCode: failureCode || null, next: nextCommand(result, sessionId), exitCode };
}

/** What helps after that end: a retry, unless it would end in the same way. */
function nextCommand({ outcome, isPaused, failureCode }: WatchEnd, sessionId: string): string | null {
  if (outcome !== 'failed' && !isPaused) return null;
  switch (failureCode) {
    case 'model.not-configured':
      return './bullpen run --repo <repository> "<prompt>"';
    case 'checkpoint.holds-secret':
      return `./bullpen prompt ${sessionId} "remove the key from the files"`;
    case 'model.output-limit':
      return `./bullpen prompt ${sessionId} "go on"`;
    default:
      return `./bullpen retry ${sessionId}`;
  }
}

function reasonToGoOn({ isPaused, failureCode }: WatchEnd): string {
  switch (failureCode) {
    case 'model.not-configured':
      return 'To use the model that the platform has now, start a new session';
    case 'checkpoint.holds-secret':
    case 'model.output-limit':
      return 'To go on';
    default:
      return isPaused ? 'Prompts wait because no sandbox could be started. To go on' : 'To try that turn again';
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
