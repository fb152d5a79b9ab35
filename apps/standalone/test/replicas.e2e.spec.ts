import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { eventually } from './platform.harness.js';
import { TestReplicas } from './replicas.harness.js';
import type { Replica, Service } from './replicas.harness.js';
import { Watcher } from './watcher.harness.js';

/**
 * Goal: any replica may go. Method: two processes of each service over one log; a slow turn with a queued prompt, watched through both
 * gateways; one replica is killed, or stopped for 30 s, in the middle of the turn, while commands go on through the other gateway.
 */
const WORDS = 40;
const PAUSE_MS = 30_000;
let replicas: TestReplicas;

beforeAll(async () => {
  replicas = await TestReplicas.start();
}, 120_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => replicas?.remove(), 60_000);

describe('two replicas of every service', () => {
  it('share the sessions between the orchestrators', async () => {
    await eventually('equal parts', 30_000, async () => JSON.stringify(await replicas.shards()) === '[8,8]');
  }, 40_000);

  it.each(['orchestrator', 'session', 'gateway'] as const)(
    'complete every turn, none twice, when one %s is killed in the middle of one',
    async (service) => {
      const turn = await slowTurn();
      const victim = victimOf(service, turn);
      replicas.signal(victim, 'SIGKILL');
      expect(turn.watcher.has('TurnEnded')).toBe(false);
      await commandsGoOn(turn);
      await allComplete(turn);
      await replicas.up(victim);
      await sameThroughBoth(turn);
    },
    150_000,
  );

  it.each([[['orchestrator']], [['session', 'gateway']]] as const)(
    'complete every turn, none twice, when one of %s stands still for 30 s and then goes on',
    async (services) => {
      const turn = await slowTurn();
      const victims = services.map((service) => victimOf(service, turn));
      for (const victim of victims) replicas.signal(victim, 'SIGSTOP');
      const resumed = delay(PAUSE_MS).then(() => victims.forEach((victim) => replicas.signal(victim, 'SIGCONT')));
      expect(turn.watcher.has('TurnEnded')).toBe(false);
      try {
        await commandsGoOn(turn);
        await allComplete(turn);
      } finally {
        await resumed;
      }
      // Time for what woke up to act on what it last knew.
      await delay(3_000);
      await sameThroughBoth(turn);
      await eventually('equal parts again', 40_000, async () => JSON.stringify(await replicas.shards()) === '[8,8]');
    },
    200_000,
  );
});

/** Of the orchestrators the one that holds the session's link. */
function victimOf(service: Service, { id }: Turn): Replica {
  return service === 'orchestrator' ? `orchestrator${replicas.ownerOf(id)}` : `${service}0`;
}

interface Turn {
  readonly id: string;
  /** Through the gateway that is never touched. */
  readonly watcher: Watcher;
  /** Through the other. */
  readonly other: Watcher;
}

async function slowTurn(): Promise<Turn> {
  const { status, body } = await replicas.api<{ id: string }>(1, 'POST', '/sessions', { repository: 'sample', prompt: `slow: ${WORDS}` });
  expect({ status, body }).toMatchObject({ status: 201 });
  await replicas.api(0, 'POST', `/sessions/${body.id}/prompts`, { text: 'say: second' });
  const [watcher, other] = [Watcher.follow(replicas.edge(1), body.id), Watcher.follow(replicas.edge(0), body.id)];
  await watcher.sees('AssistantTextAppended', () => true, 60_000);
  return { id: body.id, watcher, other };
}

async function commandsGoOn({ id }: Turn): Promise<void> {
  for (let n = 0; n < 2; n += 1) expect(await replicas.api(1, 'POST', `/sessions/${id}/prompts`, { text: `say: more ${n}` })).toEqual(expect.objectContaining({ status: 202 }));
  expect((await replicas.api(1, 'GET', `/sessions/${id}`)).status).toBe(200);
}

async function allComplete({ watcher }: Turn): Promise<void> {
  const ends = () => watcher.events.filter(({ type }) => type === 'TurnEnded');
  await eventually('four turns end', 120_000, () => ends().length === 4);
  expect(ends().map(({ data }) => data['outcome'])).toEqual(['completed', 'completed', 'completed', 'completed']);
  for (const type of ['TurnStarted', 'AgentStarted', 'AgentTurnFinished', 'CheckpointCreated']) {
    expect([type, watcher.events.filter((event) => event.type === type).length]).toEqual([type, 4]);
  }
  expect(watcher.events.filter(({ type }) => type === 'GenerationStarted' || type === 'SandboxLost').map(({ type }) => type)).toEqual(['GenerationStarted']);
  const words = Array.from({ length: WORDS }, (_, index) => `word${index + 1}`).join(' ');
  expect(watcher.text().split(words)).toHaveLength(2);
}

/** Once every replica is back: nothing lost, nothing twice, whichever gateway one asks. */
async function sameThroughBoth({ id, watcher, other }: Turn): Promise<void> {
  const { head } = (await replicas.api<{ head: string }>(1, 'GET', `/sessions/${id}`)).body;
  const isThere = (one: Watcher): boolean => BigInt(one.events.at(-1)?.id ?? 0) >= BigInt(head);
  await eventually('both watchers are at the head', 60_000, () => isThere(watcher) && isThere(other));
  expect([watcher.faults, other.faults]).toEqual([[], []]);
  expect(other.events.slice(0, watcher.events.length)).toEqual(watcher.events);
  const fresh = Watcher.follow(replicas.edge(0), id);
  await eventually('a fresh watcher is at the head', 20_000, () => isThere(fresh));
  expect(fresh.events.slice(0, watcher.events.length)).toEqual(watcher.events);
}
