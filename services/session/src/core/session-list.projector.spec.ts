import { describe, expect, it } from '@jest/globals';

import type { EventData, EventType } from '@bullpen/contracts';
import type { ProjectedEvent } from '@bullpen/eventsourcing';

import { sessionListProjector } from './session-list.projector.js';
import type { SessionListRow } from './session-list.projector.js';

const lane = { entity: 'session', id: '00aaaaaaaaaaaaaaaaaaaaaaaaaa', name: 'core' } as const;

function event<T extends EventType>(n: number, type: T, data: EventData[T]): ProjectedEvent {
  const at = `2026-11-23T07:00:${String(n).padStart(2, '0')}.000Z`;
  return { id: String(n * 256), lane, type, v: 1, at, actor: { kind: 'user', id: 'u', name: 'Uma' }, data: data as never };
}
const created = event(1, 'SessionCreated', {
  organisationId: 'org',
  title: 'Fix the login',
  repository: { id: 'r', name: 'sample', source: '/srv/sample' },
  branch: 'main',
  agent: 'pi',
  model: 'm',
  modelProvider: 'scripted',
  requestHash: '',
});
const queued = (n: number, promptId: string): ProjectedEvent =>
  event(n, 'PromptQueued', { promptId, text: 'x', author: { name: '', email: '' }, requestHash: '' });
const started = (n: number, promptId: string, attempt = 1): ProjectedEvent =>
  event(n, 'TurnStarted', { turnId: `t${promptId}`, promptId, attempt });
const agentStarted = (n: number, promptId: string, attempt = 1): ProjectedEvent =>
  event(n, 'AgentStarted', { turnId: `t${promptId}`, attempt, agent: 'pi', model: 'm', conversation: 'new' });
const ended = (n: number, promptId: string, outcome: 'completed' | 'failed'): ProjectedEvent =>
  event(n, 'TurnEnded', { turnId: `t${promptId}`, attempt: 1, outcome });
const project = (...events: ProjectedEvent[]): SessionListRow | null =>
  events.reduce<SessionListRow | null>((row, next) => sessionListProjector.apply(row, next), null);
const statuses = (...events: ProjectedEvent[]) => events.map((_, index) => project(...events.slice(0, index + 1))?.status);

describe('the list of sessions', () => {
  it('begins with the session as created', () => {
    expect(project(created)).toMatchObject({
      sessionId: lane.id,
      organisationId: 'org',
      title: 'Fix the login',
      status: 'idle',
      repositoryName: 'sample',
      createdAt: created.at,
      rev: '256',
      turns: 0,
    });
  });

  it('tells queued from running by whether an agent has the prompt', () => {
    expect(statuses(created, queued(2, 'a'), started(3, 'a'), agentStarted(4, 'a'), ended(5, 'a', 'completed'))).toEqual([
      'idle',
      'queued',
      'queued',
      'running',
      'idle',
    ]);
  });

  it('is not running for the agent of an earlier attempt', () => {
    const again = [created, queued(2, 'a'), started(3, 'a'), ended(4, 'a', 'failed'), started(5, 'a', 2)];
    expect(statuses(...again, agentStarted(6, 'a', 1), agentStarted(7, 'a', 2)).slice(3)).toEqual(['failed', 'queued', 'queued', 'running']);
    expect(project(...again)?.turns).toBe(1);
  });

  it('stays queued while prompts wait behind an end', () => {
    const row = project(created, queued(2, 'a'), started(3, 'a'), queued(4, 'b'), ended(5, 'a', 'failed'));
    expect(row).toMatchObject({ status: 'queued', turns: 1, queuedPrompts: ['b'] });
  });

  it('counts files and keeps the time and id of the last event', () => {
    const row = project(created, event(9, 'FilesChanged', { files: [], total: 7 }));
    expect(row).toMatchObject({ filesChanged: 7, rev: '2304', updatedAt: '2026-11-23T07:00:09.000Z' });
  });

  it('never goes backwards, and knows no session before its creation', () => {
    const row = project(created, queued(2, 'a'));
    expect(sessionListProjector.apply(row, queued(2, 'a'))).toBe(row);
    expect(sessionListProjector.apply(row, created)).toBe(row);
    expect(project(agentStarted(1, 'a'))).toBeNull();
  });

  it('knows what can be searched for: title, repository and prompts', () => {
    const row = project(created, queued(2, 'p1'), event(3, 'SessionRenamed', { title: 'Other words' }));
    expect(row?.searchText.split(' ').toSorted()).toEqual(['other', 'sample', 'words', 'x']);
  });

  it('is found by its title, however much was prompted', () => {
    const texts = Array.from({ length: 6 }, (_, n) => Array.from({ length: 2_000 }, (_word, m) => `word${n}x${m}`).join(' '));
    const prompts = texts.map((text, n) => event(2 + n, 'PromptEdited', { promptId: 'a', text }));
    const row = project(created, ...prompts, event(20, 'SessionRenamed', { title: 'Quokka' }));
    expect(row?.searchText.split(' ').slice(0, 3)).toEqual(['quokka', 'sample', 'word0x0']);
    expect(row?.searchText.length).toBeLessThanOrEqual(48 * 1024);
  });

  it('is archived until it is brought back, whatever runs, and is gone when deleted', () => {
    const archived = event(4, 'SessionArchived', {});
    expect(project(created, queued(2, 'p1'), started(3, 'p1'), archived)).toMatchObject({ archived: true, status: 'archived' });
    expect(project(created, archived, event(5, 'SessionUnarchived', {}))).toMatchObject({ archived: false, status: 'idle' });
    expect(project(created, event(4, 'SessionDeleted', {}))).toBeNull();
    expect(project(event(4, 'LaneClosed', {}))).toBeNull();
  });

  it('keeps the order of what waits', () => {
    const moved = event(5, 'PromptMoved', { promptId: 'b', before: 'a' });
    const withdrawn = event(6, 'PromptWithdrawn', { promptId: 'a' });
    const queue = [created, queued(2, 'a'), queued(3, 'b'), moved];
    expect(project(...queue)?.queuedPrompts).toEqual(['b', 'a']);
    expect(project(...queue, withdrawn)?.queuedPrompts).toEqual(['b']);
  });
});
