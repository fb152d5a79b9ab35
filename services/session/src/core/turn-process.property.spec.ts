import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import type { StoredEvent } from '@bullpen/contracts';
import type { LogMessage } from '@bullpen/event-log';

import type { SessionCommand } from './session.commands.js';
import { sessionDecider } from './session.decider.js';
import type { SessionAggregate } from './session.aggregate.js';
import { followMessage, unsaidEndings } from './turn-process.js';
import type { FollowedTurns } from './turn-process.js';

const SESSION = '00aaaaaaaaaaaaaaaaaaaaaaaaaa';
const session = {
  organisationId: 'org',
  title: '',
  repository: { id: 'r', name: 'r', source: '/r' },
  branch: 'main',
  agent: 'pi',
  model: 'm',
  modelProvider: 'scripted',
  requestHash: '',
} as const;

type Move =
  /** The log moves on by what a person, an agent or a sandbox does. */
  | { readonly do: 'prompt' | 'agentStarts' | 'agentFinishes' | 'sandboxLost' | 'noSandbox' | 'stopped' | 'retry' | 'staleFinish' }
  /** The turn process reads one message, says what it knows, remembers where it is, or is killed. */
  | { readonly do: 'read' | 'say' | 'checkpoint' | 'kill' };

/** One session on a log, with a turn process that may be killed between any two of its steps. */
class World {
  readonly log: LogMessage[] = [];
  core: SessionAggregate = sessionDecider.initialState();
  read = 0;
  turns: FollowedTurns = new Map();
  checkpoint: { read: number; turns: FollowedTurns } = { read: 0, turns: new Map() };
  prompts = 0;

  constructor() {
    this.command({ type: 'CreateSession', sessionId: SESSION, session, prompt: null });
  }

  command(command: SessionCommand): void {
    const events = sessionDecider.decide(command, this.core);
    this.core = events.reduce(sessionDecider.evolve, this.core);
    if (events.length > 0) this.append('core', events);
  }

  move(move: Move): void {
    const running = this.core.phase === 'open' ? this.core.running : null;
    const { turnId, attempt } = running ?? { turnId: 'none', attempt: 0 };
    const generation = { generation: 1, sandboxId: `${SESSION}-1` };
    const reason = { code: 'x', message: 'y' };
    switch (move.do) {
      case 'prompt': {
        const prompt = { promptId: `p${(this.prompts += 1)}`, text: 'x', author: { name: '', email: '' }, requestHash: '' };
        return this.command({ type: 'QueuePrompt', organisationId: 'org', sessionId: SESSION, prompt });
      }
      case 'retry':
        return this.command({ type: 'RetryTurn', organisationId: 'org', sessionId: SESSION, requestId: `r${this.log.length}` });
      case 'agentStarts':
        return this.append('agent', [{ type: 'AgentStarted', data: { turnId, attempt } }]);
      case 'agentFinishes':
        return this.append('agent', [{ type: 'AgentTurnFinished', data: { turnId, attempt, outcome: 'completed' } }]);
      case 'staleFinish':
        return this.append('agent', [{ type: 'AgentTurnFinished', data: { turnId, attempt: attempt - 1, outcome: 'completed' } }]);
      case 'sandboxLost':
        return this.append('sandbox', [{ type: 'SandboxLost', data: { ...generation, turnId, turnAttempt: attempt, reason } }]);
      case 'noSandbox':
        return this.append('sandbox', [{ type: 'SandboxStageEntered', data: { ...generation, stage: 'failed', reason } }]);
      case 'stopped':
        return this.append('sandbox', [{ type: 'SandboxStopped', data: { ...generation, reason } }]);
      case 'read':
        return this.readOne();
      case 'say':
        return this.say();
      case 'checkpoint':
        this.checkpoint = { read: this.read, turns: this.turns };
        return;
      case 'kill':
        ({ read: this.read, turns: this.turns } = this.checkpoint);
    }
  }

  finish(): void {
    do {
      while (this.read < this.log.length) this.readOne();
      this.say();
    } while (this.read < this.log.length);
  }

  private readOne(): void {
    const message = this.log[this.read];
    if (!message) return;
    this.turns = followMessage(this.turns, message);
    this.read += 1;
  }

  private say(): void {
    for (const { turn, ending } of unsaidEndings(this.turns)) {
      this.command({ type: 'EndTurn', turnId: turn.turnId, attempt: turn.attempt, ending });
    }
  }

  private append(lane: 'core' | 'sandbox' | 'agent', events: readonly { type: string; data: object }[]): void {
    const stored = events.map(({ type, data }): StoredEvent => {
      return { type, v: 1, at: '', actor: { kind: 'service', id: 's', name: '' }, data: data as never };
    });
    const frames = lane === 'agent' ? { sandboxId: `${SESSION}-1`, generation: 1, first: 1, last: 1 } : null;
    this.log.push({ lane: { entity: 'session', id: SESSION, name: lane }, sequence: this.log.length + 1, events: stored, frames });
  }
}

const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.constantFrom<Move>(
    { do: 'prompt' },
    { do: 'agentStarts' },
    { do: 'agentFinishes' },
    { do: 'staleFinish' },
    { do: 'sandboxLost' },
    { do: 'noSandbox' },
    { do: 'stopped' },
    { do: 'retry' },
    { do: 'read' },
    { do: 'read' },
    { do: 'say' },
    { do: 'checkpoint' },
    { do: 'kill' },
  ),
  { maxLength: 80 },
);

/** What the log says of ended attempts, in order. */
function endedAttempts(log: readonly LogMessage[]): { attempt: string; outcome: string; code: string }[] {
  return log.flatMap(({ events }) =>
    events.flatMap(({ type, data }) => {
      if (type !== 'TurnEnded') return [];
      const { turnId, attempt, outcome, reason } = data as { turnId: string; attempt: number; outcome: string; reason?: { code: string } };
      return [{ attempt: `${turnId}.${attempt}`, outcome, code: reason?.code ?? '' }];
    }),
  );
}

describe('the turn process, killed anywhere', () => {
  it('ends every attempt at most once, and every attempt that an agent finished', () => {
    fc.assert(
      fc.property(moves, (all) => {
        const world = new World();
        for (const move of all) world.move(move);
        world.finish();
        const ended = endedAttempts(world.log).map(({ attempt }) => attempt);
        expect(new Set(ended).size).toBe(ended.length);
        expect(unsaidEndings(world.turns)).toEqual([]);
        const running = world.core.phase === 'open' ? world.core.running : null;
        const finished = world.log.flatMap(({ events }) => events.filter(({ type }) => type === 'AgentTurnFinished'));
        for (const { data } of finished) {
          expect([data['turnId'], data['attempt']]).not.toEqual([running?.turnId, running?.attempt]);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends turns the same, in the same order, whether or not it was killed', () => {
    fc.assert(
      fc.property(moves, (all) => {
        // Saying at once makes the log a function of the moves; kills and checkpoints must not show in it.
        const run = (killed: boolean) => {
          const world = new World();
          for (const move of all) {
            if (move.do === 'read' || move.do === 'say') continue;
            if (killed || (move.do !== 'kill' && move.do !== 'checkpoint')) world.move(move);
            world.finish();
          }
          return endedAttempts(world.log);
        };
        expect(run(true)).toEqual(run(false));
      }),
      { numRuns: 300 },
    );
  });
});
