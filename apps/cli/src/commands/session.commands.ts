import { isUtf8 } from 'node:buffer';

import { Rejection } from '@bullpen/errors';

import { EXIT } from '../exit-codes.js';
import { terminalOf } from '../host.js';
import { answer, jsonLine, notice } from '../output.js';
import { resolveRepository } from '../platform/repositories-api.js';
import { resolveSessionId } from '../platform/session-reference.js';
import { cancelTurn, getDiff, getSession, listSessions, queuePrompt, retryTurn } from '../platform/sessions-api.js';
import type { SessionFilter, SessionRow } from '../platform/sessions-api.js';
import { diffText } from '../render/diff-text.js';
import { sessionTable } from '../render/session-table.js';
import type { CommandContext } from './command-context.js';
import { WHOLE_SESSION, knownFrom, plainSummary, readPrompt, watchToExit } from './command-context.js';

const TURN_ID = /^[0-9a-z]{26,32}$/;
/** Rows that `bullpen sessions` shows. */
const MAX_ROWS = 200;

export async function attach(context: CommandContext, reference: string, { follow }: { readonly follow?: boolean }): Promise<number> {
  const sessionId = await resolveSessionId(context.api, reference);
  return watchToExit(context, { sessionId, after: WHOLE_SESSION, goal: { kind: follow ? 'never' : 'quiet' } });
}

export async function prompt(context: CommandContext, reference: string, given: string, { wait }: { readonly wait: boolean }): Promise<number> {
  const { host, api } = context;
  const text = await readPrompt(host, given);
  const sessionId = await resolveSessionId(api, reference);
  // Read first: the turn may start before the answer to the command comes.
  const before = await getSession(api, sessionId);
  const { promptId, position } = await queuePrompt(api, sessionId, text);
  if (position > 0) notice(context, `Queued, ${position === 1 ? 'next in line' : `number ${position} in line`}.`);
  if (!wait) {
    answer(context, { id: sessionId, promptId, position }, promptId);
    return EXIT.completed;
  }
  return watchToExit(context, { sessionId, after: before.head, goal: { kind: 'prompt', promptId }, known: knownFrom(before) });
}

export async function cancel(context: CommandContext, reference: string): Promise<number> {
  const id = await resolveSessionId(context.api, reference);
  const { cancelling } = await cancelTurn(context.api, id);
  answer(context, { id, cancelling }, cancelling ? `Cancelling the running turn of ${id}.` : `Nothing to cancel: no turn of ${id} is running.`);
  return EXIT.completed;
}

export async function retry(context: CommandContext, reference: string, { wait }: { readonly wait: boolean }): Promise<number> {
  const { api } = context;
  const sessionId = await resolveSessionId(api, reference);
  const before = await getSession(api, sessionId);
  const { retrying } = await retryTurn(api, sessionId);
  if (!wait || !retrying) {
    const document = wait ? plainSummary(sessionId, before.head, 'nothing') : { id: sessionId, retrying };
    const text = retrying ? `Trying the last turn of ${sessionId} again.` : `Nothing to retry: the last turn of ${sessionId} did not fail, or one is running.`;
    answer(context, document, text);
    return EXIT.completed;
  }
  return watchToExit(context, { sessionId, after: before.head, goal: { kind: 'nextTurn' }, known: knownFrom(before) });
}

export async function diff(context: CommandContext, reference: string, { turn }: { readonly turn?: string }): Promise<number> {
  const { host, api, json } = context;
  const id = await resolveSessionId(api, reference);
  const turnId = turn === undefined ? undefined : await turnIdOf(context, id, turn);
  const patch = await getDiff(api, id, turnId);
  if (json) host.stdout.write(jsonLine({ id, turnId: turnId ?? null, ...encoded(patch) }));
  else if (patch.byteLength === 0) notice(context, `No changes in ${turn === undefined ? 'this session' : `turn ${turn}`} so far.`);
  else host.stdout.write(diffText(patch, terminalOf(host, host.stdout)));
  return EXIT.completed;
}

/** JSON holds text only; a patch of files that are none is in base64. */
function encoded(patch: Uint8Array): { readonly encoding: 'utf8' | 'base64'; readonly patch: string } {
  if (isUtf8(patch)) return { encoding: 'utf8', patch: Buffer.from(patch).toString('utf8') };
  return { encoding: 'base64', patch: Buffer.from(patch).toString('base64') };
}

/** Turns are numbered from 1 for people; an id is taken as it is. */
async function turnIdOf({ api }: CommandContext, sessionId: string, given: string): Promise<string> {
  if (TURN_ID.test(given)) return given;
  if (!/^[0-9]{1,6}$/.test(given)) {
    throw new Rejection('argument.invalid', `--turn ${given} is no turn.`, { next: 'count turns from 1, or give the id of one' });
  }
  const { turns } = await getSession(api, sessionId);
  const turn = turns[Number(given) - 1];
  if (turn !== undefined) return turn.turnId;
  const have = turns.length === 0 ? 'none yet' : `1 to ${turns.length}`;
  throw new Rejection('turn.not-found', `Session ${sessionId} has no turn ${given}: it has ${have}.`, {});
}

export interface SessionsOptions {
  readonly status?: string;
  readonly repo?: string;
}

export async function sessions(context: CommandContext, words: readonly string[], { status, repo }: SessionsOptions): Promise<number> {
  const { host, api } = context;
  const q = words.join(' ');
  const repository = repo === undefined ? undefined : (await resolveRepository(api, repo)).id;
  const filter = { ...(status ? { status } : {}), ...(q === '' ? {} : { q }), ...(repository ? { repository } : {}) };
  const found: SessionRow[] = [];
  for await (const row of listSessions(api, filter)) if (found.push(row) > MAX_ROWS) break;
  const rows = found.slice(0, MAX_ROWS);
  answer(context, rows, rows.length === 0 ? '' : sessionTable(rows, Date.now(), terminalOf(host, host.stdout)).join('\n'));
  if (found.length > MAX_ROWS) notice(context, `These are the newest ${MAX_ROWS}; there are more. Words, --status and --repo find the others.`);
  if (rows.length === 0 && !context.json) notice(context, noneText(filter));
  return EXIT.completed;
}

function noneText({ status, q, repository }: SessionFilter): string {
  if (q !== undefined || repository !== undefined) return 'No sessions are like that.';
  return `No sessions${status === undefined ? ' yet' : ` are ${status}`}. To start one:  ./bullpen run --repo sample "write hello.txt: hi"`;
}
