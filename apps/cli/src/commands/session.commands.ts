import { Rejection } from '@bullpen/errors';

import { EXIT } from '../exit-codes.js';
import { terminalOf } from '../host.js';
import { resolveRepository } from '../platform/repositories-api.js';
import { resolveSessionId } from '../platform/session-reference.js';
import { cancelTurn, getDiff, getSession, listSessions, queuePrompt, retryTurn } from '../platform/sessions-api.js';
import type { SessionRow } from '../platform/sessions-api.js';
import { diffText } from '../render/diff-text.js';
import { sessionTable } from '../render/session-table.js';
import { neutralJson } from '../render/terminal-text.js';
import type { CommandContext } from './command-context.js';
import { WHOLE_SESSION, knownFrom, readPrompt, watchToExit } from './command-context.js';

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
  if (position > 0) host.stderr.write(`Queued, ${position === 1 ? 'next in line' : `number ${position} in line`}.\n`);
  if (!wait) {
    host.stdout.write(`${promptId}\n`);
    return EXIT.completed;
  }
  return watchToExit(context, { sessionId, after: before.head, goal: { kind: 'prompt', promptId }, known: knownFrom(before) });
}

export async function cancel({ host, api }: CommandContext, reference: string, { json }: { readonly json?: boolean } = {}): Promise<number> {
  const sessionId = await resolveSessionId(api, reference);
  const { cancelling } = await cancelTurn(api, sessionId);
  if (json) host.stdout.write(`${JSON.stringify({ id: sessionId, cancelling })}\n`);
  else host.stdout.write(cancelling ? `Cancelling the running turn of ${sessionId}.\n` : `Nothing to cancel: no turn of ${sessionId} is running.\n`);
  return EXIT.completed;
}

export async function retry(context: CommandContext, reference: string, { wait }: { readonly wait: boolean }): Promise<number> {
  const { host, api } = context;
  const sessionId = await resolveSessionId(api, reference);
  const before = await getSession(api, sessionId);
  const { retrying } = await retryTurn(api, sessionId);
  if (!retrying) {
    host.stdout.write(`Nothing to retry: the last turn of ${sessionId} did not fail, or one is running.\n`);
    return EXIT.completed;
  }
  if (!wait) return EXIT.completed;
  return watchToExit(context, { sessionId, after: before.head, goal: { kind: 'nextTurn' }, known: knownFrom(before) });
}

export async function diff({ host, api }: CommandContext, reference: string, { turn }: { readonly turn?: string }): Promise<number> {
  const sessionId = await resolveSessionId(api, reference);
  const turnId = turn === undefined ? undefined : await turnIdOf({ host, api }, sessionId, turn);
  const patch = await getDiff(api, sessionId, turnId);
  if (patch.byteLength === 0) host.stderr.write(`No changes in ${turn === undefined ? 'this session' : `turn ${turn}`} so far.\n`);
  else host.stdout.write(diffText(patch, terminalOf(host, host.stdout)));
  return EXIT.completed;
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
  readonly json?: boolean;
  readonly status?: string;
  readonly repo?: string;
}

export async function sessions({ host, api }: CommandContext, words: readonly string[], options: SessionsOptions): Promise<number> {
  const { json, status, repo } = options;
  const q = words.join(' ');
  const repository = repo === undefined ? undefined : (await resolveRepository(api, repo)).id;
  const filter = { ...(status ? { status } : {}), ...(q === '' ? {} : { q }), ...(repository ? { repository } : {}) };
  const rows: SessionRow[] = [];
  for await (const row of listSessions(api, filter)) {
    rows.push(row);
    if (rows.length === MAX_ROWS) break;
  }
  if (json) host.stdout.write(`${neutralJson(JSON.stringify(rows, null, 2))}\n`);
  else if (rows.length > 0) host.stdout.write(`${sessionTable(rows, Date.now(), terminalOf(host, host.stdout)).join('\n')}\n`);
  else if (q !== '' || repo !== undefined) host.stderr.write('No sessions are like that.\n');
  else host.stderr.write(`No sessions${status ? ` are ${status}` : ' yet'}. To start one:  ./bullpen run --repo sample "write hello.txt: hi"\n`);
  return EXIT.completed;
}
