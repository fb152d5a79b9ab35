import { BEFORE_ALL_EVENTS, ISOLATION_NOTICE, SCRIPTED_MODEL_NOTICE, isKnownEvent } from '@bullpen/contracts';
import type { Isolation, KnownSessionEvent, ModelProvider, SessionEvent } from '@bullpen/contracts';

import { Page } from './page.js';
import { SandboxLines } from './sandbox-lines.js';
import { makeStyle } from './style.js';
import type { Style } from './style.js';
import { neutralLine, neutralise } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';
import { ToolCalls } from './tool-calls.js';
import { TurnLines } from './turn-lines.js';

type Known<T extends KnownSessionEvent['type']> = Extract<KnownSessionEvent, { type: T }>;

/** What a reader of the session would already know when the first event that is rendered comes later than the session's first. */
export interface KnownBefore {
  readonly modelProvider: ModelProvider;
  readonly isolation: Isolation | null;
  readonly prompts: readonly { readonly promptId: string; readonly text: string; readonly author: string }[];
}

/**
 * A session's events as a person would like to read them. Each call answers with the text to write next; the same events give the same
 * text, however they arrive. Text of agents, tools and repositories is made harmless for a terminal.
 */
export class SessionRenderer {
  readonly #page: Page;
  readonly #style: Style;
  readonly #turn: TurnLines;
  readonly #tools: ToolCalls;
  readonly #sandbox: SandboxLines;
  readonly #noticesShown = new Set<string>();

  constructor({ color, width }: Terminal) {
    this.#page = new Page(width);
    this.#style = makeStyle(color);
    this.#turn = new TurnLines(this.#page, this.#style);
    this.#tools = new ToolCalls(this.#page, this.#style);
    this.#sandbox = new SandboxLines(this.#page, this.#style);
  }

  begin({ modelProvider, isolation, prompts }: KnownBefore): string {
    this.#noteModel(modelProvider);
    if (isolation !== null) this.#noteIsolation(isolation);
    for (const { promptId, text, author } of prompts) this.#turn.learnPrompt(promptId, { text, author });
    return this.#page.take();
  }

  event(event: SessionEvent): string {
    if (isKnownEvent(event)) this.#show(event);
    else this.#notice(`unknown event ${event.type}: a newer Bullpen wrote it`, event.id);
    return this.#page.take();
  }

  /** False while the final line waits for the push of the turn's branch. */
  get isSettled(): boolean {
    return this.#turn.isSettled;
  }

  /** Writes what waits, without the push. */
  settle(): string {
    this.#turn.settle();
    return this.#page.take();
  }

  /** Ends a line under way, so that something that is not of the session can be said. */
  interrupt(): string {
    this.#page.endLine();
    return this.#page.take();
  }

  #show(event: KnownSessionEvent): void {
    switch (event.type) {
      case 'SessionCreated':
        return this.#created(event);
      case 'PromptQueued':
      case 'TurnStarted':
      case 'TurnCancelRequested':
      case 'TurnEnded':
        return this.#showTurn(event);
      case 'PromptEdited':
        return this.#turn.editPrompt(event.data);
      case 'SessionRenamed':
        return this.#notice(`renamed to ${event.data.title} by ${event.actor.name}`, event.id);
      case 'SessionArchived':
        return this.#notice(`archived by ${event.actor.name}`, event.id);
      case 'SessionUnarchived':
        return this.#notice(`brought back by ${event.actor.name}`, event.id);
      case 'SessionDeleted':
        return this.#notice(`deleted by ${event.actor.name}`, event.id);
      case 'SandboxRequested':
      case 'SandboxStageEntered':
      case 'SandboxSpawnFailed':
      case 'SandboxLost':
      case 'SandboxStopped':
        return this.#showSandbox(event);
      case 'AgentStarted':
      case 'AssistantTextAppended':
      case 'ReasoningAppended':
      case 'ToolCallStarted':
      case 'ToolCallProgressed':
      case 'ToolCallCompleted':
      case 'AgentNoticed':
      case 'PlanUpdated':
      case 'FrameRejected':
      case 'AgentFailed':
        return this.#showAgent(event);
      case 'FilesChanged':
      case 'UsageReported':
      case 'CheckpointCreated':
      case 'BranchPushed':
      case 'BranchPushFailed':
        return this.#showResult(event);
      // Said by TurnEnded and by the stages.
      case 'AgentTurnFinished':
      case 'GenerationStarted':
      case 'PromptMoved':
      case 'PromptWithdrawn':
      case 'RepositoryAdded':
      case 'RepositoryRemoved':
      case 'LaneClosed':
        return;
    }
  }

  #created({ sessionId, data }: Known<'SessionCreated'>): void {
    this.#page.enter('session');
    const where = `${neutralLine(data.repository.name)} @ ${neutralLine(data.branch)}`;
    const who = `${neutralLine(data.agent)}, ${neutralLine(data.model)}`;
    this.#page.line(`${this.#style.bold(`session ${sessionId}`)}  ${this.#style.dim(`${where}  ${who}`)}`);
    this.#noteModel(data.modelProvider);
  }

  #showTurn(event: Known<'PromptQueued' | 'TurnStarted' | 'TurnCancelRequested' | 'TurnEnded'>): void {
    switch (event.type) {
      case 'PromptQueued':
        return this.#turn.queuePrompt(event.data.promptId, { text: event.data.text, author: event.data.author.name || event.actor.name });
      case 'TurnStarted':
        this.#tools.clear();
        return this.#turn.start(event.data, event.at);
      case 'TurnCancelRequested':
        return this.#notice(`cancel requested by ${event.actor.name}`, event.id);
      case 'TurnEnded':
        this.#tools.clear();
        return this.#turn.end(event.data, event.at);
    }
  }

  #showSandbox(
    event: Known<'SandboxRequested' | 'SandboxStageEntered' | 'SandboxSpawnFailed' | 'SandboxLost' | 'SandboxStopped'>,
  ): void {
    switch (event.type) {
      case 'SandboxRequested':
        this.#noteIsolation(event.data.isolation);
        return this.#sandbox.request(event.data, event.at);
      case 'SandboxStageEntered':
        return this.#sandbox.enterStage(event.data);
      case 'SandboxSpawnFailed':
        return this.#sandbox.failSpawn(event.data);
      case 'SandboxLost':
        return this.#sandbox.lose(event.data);
      case 'SandboxStopped':
        return this.#sandbox.stop(event.data);
    }
  }

  #showAgent(
    event: Known<
      | 'AgentStarted'
      | 'AssistantTextAppended'
      | 'ReasoningAppended'
      | 'ToolCallStarted'
      | 'ToolCallProgressed'
      | 'ToolCallCompleted'
      | 'AgentNoticed'
      | 'PlanUpdated'
      | 'FrameRejected'
      | 'AgentFailed'
    >,
  ): void {
    switch (event.type) {
      case 'AgentStarted':
        return this.#turn.startAgent(event.data);
      case 'AssistantTextAppended':
        this.#page.enter(`text ${event.data.partId}`);
        return this.#page.stream(neutralise(event.data.text), (text) => text);
      case 'ReasoningAppended':
        if (this.#page.enter(`reasoning ${event.data.partId}`)) this.#page.line(this.#style.dim('thinking:'));
        return this.#page.stream(neutralise(event.data.text), this.#style.dim);
      case 'ToolCallStarted':
        return this.#tools.start(event.data);
      case 'ToolCallProgressed':
        return this.#tools.progress(event.data);
      case 'ToolCallCompleted':
        return this.#tools.complete(event.data);
      case 'AgentNoticed':
        return this.#notice(event.data.text, event.id);
      case 'PlanUpdated':
        return this.#turn.showPlan(event.data.entries);
      case 'FrameRejected':
        return this.#notice(`part of the agent's report was not accepted: ${event.data.reason.message}`, event.id);
      case 'AgentFailed':
        return this.#turn.failAgent(event.data);
    }
  }

  #showResult(event: Known<'FilesChanged' | 'UsageReported' | 'CheckpointCreated' | 'BranchPushed' | 'BranchPushFailed'>): void {
    switch (event.type) {
      case 'FilesChanged':
        return this.#turn.changeFiles(event.data);
      case 'UsageReported':
        return this.#turn.addUsage(event.data);
      case 'CheckpointCreated':
        return this.#turn.checkpoint(event.data);
      case 'BranchPushed':
        return this.#turn.push(event.data, null);
      case 'BranchPushFailed':
        return this.#turn.push(event.data, { reason: event.data.reason, sessionId: event.sessionId });
    }
  }

  #noteModel(provider: ModelProvider): void {
    if (provider === 'scripted') this.#notice(SCRIPTED_MODEL_NOTICE, BEFORE_ALL_EVENTS);
  }

  #noteIsolation(isolation: Isolation): void {
    if (isolation === 'none') this.#notice(ISOLATION_NOTICE, BEFORE_ALL_EVENTS);
  }

  /** Once for each event it is about; what is about the session is said once. */
  #notice(text: string, eventId: string): void {
    const key = `${eventId} ${text}`;
    if (this.#noticesShown.has(key)) return;
    if (eventId === BEFORE_ALL_EVENTS) this.#noticesShown.add(key);
    this.#page.enter('notice');
    this.#page.line(this.#style.yellow(`! ${neutralLine(text)}`));
  }
}
