import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import { SESSION_STATUSES } from '@bullpen/contracts';
import type { Plain, SessionStatus, sessionApi } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { EventLog } from '@bullpen/event-log';
import { SESSION_MODEL } from '@bullpen/session-model';

import type { SessionList, SessionReader } from '../../core/ports.js';
import { searchWords } from '../../core/search-words.js';
import { needsAttention } from '../../core/session-list.projector.js';
import type { SessionListRow } from '../../core/session-list.projector.js';
import { whyOf } from '../../core/session-why.js';
import { SessionOperations } from '../../core/session-operations.js';
import { callerOf } from './caller-of.js';

const SERVICE = 'SessionService';
const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_QUERY_WORDS = 20;

export const EVENT_LOG = Symbol('EventLog');
export const SESSION_READER = Symbol('SessionReader');
export const SESSION_LIST = Symbol('SessionList');

type Answer<Response> = Promise<Plain<Response>>;

/** Parses, calls, maps. Fields that a caller left out arrive as their zero values. */
@Controller()
export class SessionController {
  constructor(
    @Inject(SessionOperations) private readonly operations: SessionOperations,
    @Inject(SESSION_READER) private readonly reader: SessionReader,
    @Inject(SESSION_LIST) private readonly sessions: SessionList,
    @Inject(EVENT_LOG) private readonly log: EventLog,
  ) {}

  @GrpcMethod(SERVICE, 'CreateSession')
  async createSession(request: Plain<sessionApi.CreateSessionRequest>): Answer<sessionApi.CreateSessionResponse> {
    const { context, repository, branch, title, prompt, agent, model } = request;
    const body = { repository, branch, title, prompt, agent, model };
    const { sessionId, promptId, lastId } = await this.operations.createSession(callerOf(context), body);
    return { sessionId, promptId, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'QueuePrompt')
  async queuePrompt({ context, sessionId, text }: Plain<sessionApi.QueuePromptRequest>): Answer<sessionApi.QueuePromptResponse> {
    const { promptId, position, lastId } = await this.operations.queuePrompt(callerOf(context), sessionId, text);
    return { promptId, position, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'CancelTurn')
  async cancelTurn({ context, sessionId }: Plain<sessionApi.CancelTurnRequest>): Answer<sessionApi.CancelTurnResponse> {
    const { cancelling, lastId } = await this.operations.cancelTurn(callerOf(context), sessionId);
    return { cancelling, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'RetryTurn')
  async retryTurn({ context, sessionId }: Plain<sessionApi.RetryTurnRequest>): Answer<sessionApi.RetryTurnResponse> {
    const { retrying, lastId } = await this.operations.retryTurn(callerOf(context), sessionId);
    return { retrying, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'RenameSession')
  async renameSession({ context, sessionId, title }: Plain<sessionApi.RenameSessionRequest>): Answer<sessionApi.RenameSessionResponse> {
    const { lastId } = await this.operations.renameSession(callerOf(context), sessionId, title);
    return { head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'ArchiveSession')
  async archiveSession({ context, sessionId }: Plain<sessionApi.ArchiveSessionRequest>): Answer<sessionApi.ArchiveSessionResponse> {
    const { changed, lastId } = await this.operations.archiveSession(callerOf(context), sessionId);
    return { changed, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'UnarchiveSession')
  async unarchiveSession({ context, sessionId }: Plain<sessionApi.UnarchiveSessionRequest>): Answer<sessionApi.UnarchiveSessionResponse> {
    const { changed, lastId } = await this.operations.unarchiveSession(callerOf(context), sessionId);
    return { changed, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'DeleteSession')
  async deleteSession({ context, sessionId }: Plain<sessionApi.DeleteSessionRequest>): Answer<sessionApi.DeleteSessionResponse> {
    const { lastId } = await this.operations.deleteSession(callerOf(context), sessionId);
    return { head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'EditPrompt')
  async editPrompt(request: Plain<sessionApi.EditPromptRequest>): Answer<sessionApi.EditPromptResponse> {
    const { context, sessionId, promptId } = request;
    const edit = { text: request.text || null, before: request.move ? request.before : null };
    const { position, lastId } = await this.operations.editPrompt(callerOf(context), { sessionId, promptId, edit });
    return { position, head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'WithdrawPrompt')
  async withdrawPrompt({ context, sessionId, promptId }: Plain<sessionApi.WithdrawPromptRequest>): Answer<sessionApi.WithdrawPromptResponse> {
    const { lastId } = await this.operations.withdrawPrompt(callerOf(context), sessionId, promptId);
    return { head: await this.#head(sessionId, lastId) };
  }

  @GrpcMethod(SERVICE, 'GetSession')
  async getSession({ sessionId }: Plain<sessionApi.GetSessionRequest>): Answer<sessionApi.GetSessionResponse> {
    const state = await this.reader.read(sessionId);
    return { stateJson: JSON.stringify(state), head: state.head, model: SESSION_MODEL };
  }

  @GrpcMethod(SERVICE, 'ListSessions')
  async listSessions(request: Plain<sessionApi.ListSessionsRequest>): Answer<sessionApi.ListSessionsResponse> {
    const { organisationId, cursor, after } = request;
    const limit = Math.min(Math.max(request.limit || DEFAULT_LIMIT, 1), MAX_LIMIT);
    const { repositoryId, sessionIds } = request;
    if (sessionIds.length > MAX_LIMIT) throw new Rejection('request.invalid', `At most ${MAX_LIMIT} sessions can be asked for by id. Ask in parts.`);
    const words = searchWords(request.query).slice(0, MAX_QUERY_WORDS);
    const filter = { organisationId, status: statusOf(request.status), words, repositoryId, sessionIds };
    const page = await this.sessions.list({ ...filter, cursor, limit, after });
    return { sessions: page.rows.map(summaryOf), nextCursor: page.nextCursor, stale: page.stale };
  }

  /** A command that found everything already so appended nothing: the session ends where it did. */
  async #head(sessionId: string, lastId: string | null): Promise<string> {
    return lastId ?? (await this.log.sessionHead(sessionId)).id;
  }
}

function statusOf(text: string): SessionStatus | null {
  if (text === '') return null;
  const status = SESSION_STATUSES.find((known) => known === text);
  if (status) return status;
  throw new Rejection('request.invalid', `There is no status “${text}”. Known: ${SESSION_STATUSES.join(', ')}.`, { status: text });
}

function summaryOf(row: SessionListRow): Plain<sessionApi.SessionSummary> {
  return {
    sessionId: row.sessionId,
    title: row.title,
    status: row.status,
    repositoryId: row.repositoryId,
    repositoryName: row.repositoryName,
    branch: row.branch,
    agent: row.agent,
    model: row.model,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    rev: row.rev,
    turns: row.turns,
    filesChanged: row.filesChanged,
    additions: row.additions,
    deletions: row.deletions,
    queued: row.queuedPrompts.length,
    lastOutcome: row.lastOutcome ?? '',
    attention: needsAttention(row),
    why: whyOf(row),
  };
}
