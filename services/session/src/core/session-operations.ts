import { MAX_TITLE_CHARS, isEntityId } from '@bullpen/contracts';
import type { Actor, ModelProvider, RepositoryEvent, RepositoryRef } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { CommandHandler, CommandMeta, Handled } from '@bullpen/eventsourcing';

import type { ProbedRepository, RepositoryProbe, SessionReader, Surroundings } from './ports.js';
import type { AddRepository, RepositoryAggregate } from './repository.decider.js';
import type { NewPrompt, SessionCommand } from './session.commands.js';
import { checkPrompt, isRequestDone, queuePosition, requireOpen } from './session.decider.js';
import type { SessionAggregate } from './session.decider.js';
import type { SessionCoreEvent } from './session.events.js';

const SAMPLE = 'sample';
const MAX_TITLE_FROM_PROMPT_CHARS = 80;

export interface Caller {
  readonly organisationId: string;
  readonly actor: Actor;
  readonly email: string;
  /** Empty: the call is not repeated. */
  readonly idempotencyKey: string;
  readonly traceparent: string;
}

export interface SessionDefaults {
  readonly sampleRepository: string;
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
  readonly repositories: CommandHandler<RepositoryAggregate, AddRepository, RepositoryEvent>;
  readonly probe: RepositoryProbe;
  readonly reader: SessionReader;
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
    const { repository, branch } = await this.#useRepository(caller, request);
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
    const { lastId } = await sessions.handle(sessionId, { type: 'CreateSession', session, prompt }, this.#meta(caller));
    return { sessionId, promptId, lastId };
  }

  async queuePrompt(
    caller: Caller,
    sessionId: string,
    text: string,
  ): Promise<{ promptId: string; position: number; lastId: string | null }> {
    const promptId = this.#idFor(caller, `prompt.queue/${sessionId}`);
    const requestHash = this.parts.surroundings.hashOf({ text });
    const prompt: NewPrompt = { promptId, text, author: authorOf(caller), requestHash };
    const command = { type: 'QueuePrompt', organisationId: caller.organisationId, prompt } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    return { promptId, position: queuePosition(state, promptId), lastId };
  }

  async cancelTurn(caller: Caller, sessionId: string): Promise<{ cancelling: boolean; lastId: string | null }> {
    const seen = await this.parts.reader.read(requireId(sessionId));
    const turn = seen.turns.find(({ turnId }) => turnId === seen.runningTurnId);
    const running = turn ? { turnId: turn.turnId, attempt: turn.attempt, agentHasIt: turn.state !== 'starting' } : null;
    const requestId = this.#idFor(caller, `turn.cancel/${sessionId}`);
    const command = { type: 'CancelTurn', organisationId: caller.organisationId, requestId, seen: running } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    const asked = state.phase === 'open' && state.running?.cancelRequested === true;
    return { cancelling: asked || isRequestDone(state, requestId), lastId };
  }

  async retryTurn(caller: Caller, sessionId: string): Promise<{ retrying: boolean; lastId: string | null }> {
    const requestId = this.#idFor(caller, `turn.retry/${sessionId}`);
    const command = { type: 'RetryTurn', organisationId: caller.organisationId, requestId } as const;
    const { state, lastId } = await this.#handle(caller, sessionId, command);
    return { retrying: isRequestDone(state, requestId), lastId };
  }

  #handle(caller: Caller, sessionId: string, command: SessionCommand): Promise<Handled<SessionAggregate, SessionCoreEvent>> {
    return this.parts.sessions.handle(requireId(sessionId), command, this.#meta(caller));
  }

  /** Answers a repeated request without asking the repository's host again. */
  async #wasCreated(caller: Caller, sessionId: string, requestHash: string): Promise<boolean> {
    if (caller.idempotencyKey === '') return false;
    const { state } = await this.parts.sessions.load(sessionId);
    if (state.phase === 'none') return false;
    if (requireOpen(state, caller.organisationId).requestHash === requestHash) return true;
    throw new Rejection('idempotency.mismatch', 'This Idempotency-Key was used for another session. Use a new key for a new request.');
  }

  #check(request: NewSession): { agent: string; title: string } {
    const { agents, agent: defaultAgent } = this.parts.defaults;
    const agent = request.agent || defaultAgent;
    if (!agents.includes(agent)) {
      throw new Rejection('agent.unknown', `There is no agent “${agent}”. Known agents: ${agents.join(', ')}.`, { agent, known: agents });
    }
    const title = request.title.trim();
    if (title.length > MAX_TITLE_CHARS) {
      throw new Rejection('title.too-long', `The title has ${title.length} characters; at most ${MAX_TITLE_CHARS} are allowed.`);
    }
    if (request.prompt !== '') checkPrompt(request.prompt);
    return { agent, title };
  }

  async #useRepository(caller: Caller, request: NewSession): Promise<{ repository: RepositoryRef; branch: string }> {
    const known = isEntityId(request.repository) ? await this.#knownRepository(caller, request.repository) : null;
    const probed = await this.parts.probe.probe(known?.source ?? this.#sourceOf(request.repository), request.branch);
    if (known) return { repository: known, branch: probed.branch };
    const name = request.repository === SAMPLE ? SAMPLE : probed.name;
    return { repository: await this.#addRepository(caller, name, probed), branch: probed.branch };
  }

  #sourceOf(repository: string): string {
    if (repository === '') throw new Rejection('repository.missing', 'Which repository? Give “sample”, a git URL or an absolute path.');
    return repository === SAMPLE ? this.parts.defaults.sampleRepository : repository;
  }

  async #knownRepository(caller: Caller, id: string): Promise<RepositoryRef> {
    const { state } = await this.parts.repositories.load(id);
    if (state.phase === 'added' && state.organisationId === caller.organisationId) return { id, name: state.name, source: state.source };
    throw new Rejection('repository.not-found', `There is no repository with the id ${id}. Give its URL or path instead.`, { id });
  }

  async #addRepository(caller: Caller, name: string, probed: ProbedRepository): Promise<RepositoryRef> {
    const { organisationId } = caller;
    const source = probed.canonicalSource;
    const id = this.parts.surroundings.derivedId('repository', organisationId, source);
    const repository = { organisationId, name, source, defaultBranch: probed.defaultBranch };
    const { state } = await this.parts.repositories.handle(id, { type: 'AddRepository', repository }, this.#meta(caller));
    return { id, name: state.phase === 'added' ? state.name : name, source };
  }

  #idFor({ organisationId, actor, idempotencyKey }: Caller, operation: string): string {
    const { surroundings } = this.parts;
    if (idempotencyKey === '') return surroundings.newId();
    return surroundings.derivedId(organisationId, `${actor.kind}:${actor.id}`, operation, idempotencyKey);
  }

  #meta({ actor, traceparent }: Caller): CommandMeta {
    const { surroundings } = this.parts;
    return { actor, commandId: surroundings.newId(), at: surroundings.now(), ...(traceparent ? { traceparent } : {}) };
  }
}

function authorOf({ actor, email }: Caller): { name: string; email: string } {
  return { name: actor.name, email };
}

function requireId(sessionId: string): string {
  if (isEntityId(sessionId)) return sessionId;
  throw new Rejection('session.not-found', 'That is no session id. List the sessions to find it.');
}

function titleFrom(prompt: string): string {
  const line = prompt.trim().split('\n', 1)[0]?.trim() ?? '';
  const chars = Array.from(line);
  return chars.length <= MAX_TITLE_FROM_PROMPT_CHARS ? line : `${chars.slice(0, MAX_TITLE_FROM_PROMPT_CHARS - 1).join('')}…`;
}
