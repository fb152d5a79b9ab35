import { isEntityId } from '@bullpen/contracts';
import type { ModelProvider } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { CommandHandler, Handled } from '@bullpen/eventsourcing';

import { metaOf } from './caller.js';
import type { Caller } from './caller.js';
import type { Room, SessionReader, Surroundings } from './ports.js';
import { checkPrompt } from './prompt-text.js';
import type { RepositoryOperations } from './repository-operations.js';
import type { NewPrompt, PromptEdit, SeenTurn, SessionCommand } from './session.commands.js';
import { deletedSince, isRequestDone, notFound, queuePosition, requireOpen, requireSameRequest } from './session.aggregate.js';
import { checkTitle } from './session.decider.js';
import type { SessionAggregate } from './session.aggregate.js';
import type { SessionCoreEvent } from './session.events.js';

const MAX_TITLE_FROM_PROMPT_CHARS = 80;

export interface SessionDefaults {
  readonly agents: readonly string[];
  /** One of `agents`. */
  readonly agent: string;
  readonly model: string;
  readonly modelProvider: ModelProvider;
}

export interface NewSession {
  readonly repository: string;
  readonly branch: string;
  readonly title: string;
  readonly prompt: string;
  readonly agent: string;
  readonly model: string;
}

export interface SessionOperationsParts {
  readonly sessions: CommandHandler<SessionAggregate, SessionCommand, SessionCoreEvent>;
  readonly repositories: RepositoryOperations;
  readonly reader: SessionReader;
  readonly room: Room;
  readonly surroundings: Surroundings;
  readonly defaults: SessionDefaults;
}

/** What people ask of sessions: gathers what the pure rules need, then lets them decide. */
export class SessionOperations {
  constructor(private readonly parts: SessionOperationsParts) {}

  async createSession(caller: Caller, request: NewSession): Promise<{ sessionId: string; promptId: string; lastId: string | null }> {
    const { sessions, surroundings } = this.parts;
    const sessionId = this.#idFor(caller, 'session.create');
    const requestHash = surroundings.hashOf(request);
    const promptId = request.prompt === '' ? '' : surroundings.derivedId('prompt', sessionId);
    if (await this.#wasCreated(caller, sessionId, requestHash)) return { sessionId, promptId, lastId: null };
    const checked = this.#check(request);
    this.parts.room.require();
    const { repository, branch } = await this.parts.repositories.use(caller, request);
    const prompt = request.prompt === '' ? null : { promptId, text: request.prompt, author: authorOf(caller), requestHash };
    const session = {
      organisationId: caller.organisationId,
      title: checked.title || titleFrom(request.prompt) || repository.name,
      repository,
      branch,
      agent: checked.agent,
      model: request.model || this.parts.defaults.model,
      modelProvider: this.parts.defaults.modelProvider,
      requestHash,
    };
    const { lastId } = await sessions.handle(sessionId, { type: 'CreateSession', sessionId, session, prompt }, metaOf(caller, this.parts.surroundings));
    return { sessionId, promptId, lastId };
  }

  async queuePrompt(
    caller: Caller,
    sessionId: string,
    text: string,
  ): Promise<{ promptId: string; position: number; lastId: string | null }> {
    const promptId = this.#idFor(caller, `prompt.queue/${sessionId}`);
    await this.#requireRoom(sessionId, (state) => state.phase === 'open' && promptId in state.prompts);
    const requestHash = this.parts.surroundings.hashOf({ text });
    const prompt: NewPrompt = { promptId, text, author: authorOf(caller), requestHash };
    const command = { type: 'QueuePrompt', organisationId: caller.organisationId, sessionId, prompt } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    return { promptId, position: queuePosition(state, promptId), lastId };
  }

  async cancelTurn(caller: Caller, sessionId: string): Promise<{ cancelling: boolean; lastId: string | null }> {
    const requestId = this.#idFor(caller, `turn.cancel/${sessionId}`);
    const seen = await this.#running(sessionId);
    const command = { type: 'CancelTurn', organisationId: caller.organisationId, sessionId, requestId, seen } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    const asked = state.phase === 'open' && state.running?.cancelRequested === true;
    return { cancelling: asked || isRequestDone(state, requestId), lastId };
  }

  async retryTurn(caller: Caller, sessionId: string): Promise<{ retrying: boolean; lastId: string | null }> {
    const requestId = this.#idFor(caller, `turn.retry/${sessionId}`);
    await this.#requireRoom(sessionId, (state) => isRequestDone(state, requestId));
    const command = { type: 'RetryTurn', organisationId: caller.organisationId, sessionId, requestId } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    return { retrying: isRequestDone(state, requestId), lastId };
  }

  async renameSession(caller: Caller, sessionId: string, title: string): Promise<{ lastId: string | null }> {
    return this.#handle(caller, sessionId, { type: 'RenameSession', organisationId: caller.organisationId, sessionId, title: title.trim() });
  }

  async archiveSession(caller: Caller, sessionId: string): Promise<{ changed: boolean; lastId: string | null }> {
    const seen = await this.#running(sessionId);
    return changed(await this.#handle(caller, sessionId, { type: 'ArchiveSession', organisationId: caller.organisationId, sessionId, seen }));
  }

  async unarchiveSession(caller: Caller, sessionId: string): Promise<{ changed: boolean; lastId: string | null }> {
    return changed(await this.#handle(caller, sessionId, { type: 'UnarchiveSession', organisationId: caller.organisationId, sessionId }));
  }

  /** What the lanes hold is erased later; from here on the session is not found. */
  async deleteSession(caller: Caller, sessionId: string): Promise<{ lastId: string | null }> {
    return this.#handle(caller, sessionId, { type: 'DeleteSession', organisationId: caller.organisationId, sessionId });
  }

  async editPrompt(
    caller: Caller,
    { sessionId, promptId, edit }: { readonly sessionId: string; readonly promptId: string; readonly edit: PromptEdit },
  ): Promise<{ position: number; lastId: string | null }> {
    const command = { type: 'EditPrompt', organisationId: caller.organisationId, sessionId, promptId, edit } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    return { position: queuePosition(state, promptId), lastId };
  }

  async withdrawPrompt(caller: Caller, sessionId: string, promptId: string): Promise<{ lastId: string | null }> {
    return this.#handle(caller, sessionId, { type: 'WithdrawPrompt', organisationId: caller.organisationId, sessionId, promptId });
  }

  async #running(sessionId: string): Promise<SeenTurn | null> {
    const { turns, runningTurnId } = await this.parts.reader.read(requireId(sessionId));
    const turn = turns.find(({ turnId }) => turnId === runningTurnId);
    return turn ? { turnId: turn.turnId, attempt: turn.attempt, agentHasIt: turn.state !== 'starting' } : null;
  }

  /** A repeated request gets the answer it had, also when the disk has filled since. */
  async #requireRoom(sessionId: string, isDone: (state: SessionAggregate) => boolean): Promise<void> {
    const { room, sessions } = this.parts;
    try {
      room.require();
    } catch (error) {
      const { state } = await sessions.load(requireId(sessionId));
      if (!isDone(state)) throw error;
    }
  }

  #handle(caller: Caller, sessionId: string, command: SessionCommand): Promise<Handled<SessionAggregate, SessionCoreEvent>> {
    return this.parts.sessions.handle(requireId(sessionId), command, metaOf(caller, this.parts.surroundings));
  }

  /** Answers a repeated request without asking the repository's host again. */
  async #wasCreated(caller: Caller, sessionId: string, requestHash: string): Promise<boolean> {
    if (caller.idempotencyKey === '') return false;
    const { state } = await this.parts.sessions.load(sessionId);
    if (state.phase === 'none') return false;
    if (state.phase === 'deleted') throw deletedSince(sessionId);
    requireSameRequest(requireOpen(state, { organisationId: caller.organisationId, sessionId }).requestHash, requestHash, { sessionId });
    return true;
  }

  #check(request: NewSession): { agent: string; title: string } {
    const { agents, agent: defaultAgent } = this.parts.defaults;
    const agent = request.agent || defaultAgent;
    if (!agents.includes(agent)) {
      throw new Rejection('agent.unknown', `There is no agent “${agent}”. Known agents: ${agents.join(', ')}.`, { agent, known: agents });
    }
    const title = request.title.trim();
    if (title !== '') checkTitle(title);
    if (request.prompt !== '') checkPrompt(request.prompt);
    return { agent, title };
  }

  #idFor({ organisationId, actor, idempotencyKey }: Caller, operation: string): string {
    const { surroundings } = this.parts;
    if (idempotencyKey === '') return surroundings.newId();
    return surroundings.derivedId(organisationId, `${actor.kind}:${actor.id}`, operation, idempotencyKey);
  }
}

function changed({ events, lastId }: Handled<SessionAggregate, SessionCoreEvent>): { changed: boolean; lastId: string | null } {
  return { changed: events.length > 0, lastId };
}

function authorOf({ actor, email }: Caller): { name: string; email: string } {
  return { name: actor.name, email };
}

function requireId(sessionId: string): string {
  if (isEntityId(sessionId)) return sessionId;
  throw notFound(sessionId);
}

function titleFrom(prompt: string): string {
  const line = prompt.trim().split('\n', 1)[0]?.trim() ?? '';
  const chars = Array.from(line);
  return chars.length <= MAX_TITLE_FROM_PROMPT_CHARS ? line : `${chars.slice(0, MAX_TITLE_FROM_PROMPT_CHARS - 1).join('')}…`;
}
