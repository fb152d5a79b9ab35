import { describe, expect, it } from '@jest/globals';

import type { EventData, EventType } from '@bullpen/contracts';
import type { ProjectedEvent } from '@bullpen/eventsourcing';

import { needsAttention, sessionListProjector } from './session-list.projector.js';
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

  it('counts lines of the files that differ, and in the end of the checkpoint', () => {
    const file = { path: 'a', change: 'modified', previousPath: '', insertions: 3, deletions: 1, binary: false } as const;
    const changed = event(9, 'FilesChanged', { files: [file, { ...file, path: 'b' }], total: 2 });
    expect(project(created, changed)).toMatchObject({ filesChanged: 2, additions: 6, deletions: 2 });
    const ref = { sha256: '', bytes: 0 };
    const stats = { files: 700, insertions: 9_000, deletions: 8 };
    const checkpoint = event(10, 'CheckpointCreated', {
      ...{ turnId: 'ta', attempt: 1, sha: 's', parent: 'p', base: 'b', branch: 'x', stats },
      ...{ patch: ref, turnPatch: ref, bundle: ref },
    });
    expect(project(created, changed, checkpoint)).toMatchObject({ filesChanged: 700, additions: 9_000, deletions: 8 });
  });

  it('asks for attention when nothing runs after a failure, also while prompts wait', () => {
    const failed = [created, queued(2, 'a'), started(3, 'a'), ended(4, 'a', 'failed')];
    const attention = (...events: ProjectedEvent[]): boolean => {
      const row = project(...events);
      return row !== null && needsAttention(row);
    };
    expect(attention(...failed.slice(0, 3))).toBe(false);
    expect(attention(...failed)).toBe(true);
    expect(attention(...failed, queued(5, 'b'))).toBe(true);
    expect(attention(...failed, started(5, 'a', 2))).toBe(false);
    expect(attention(...failed, event(5, 'SessionArchived', {}))).toBe(false);
  });

  it('is the same row for text that changes nothing in its line', () => {
    const text = (n: number, offset: number, length: number): ProjectedEvent =>
      event(n, 'AssistantTextAppended', { partId: '1.1', offset, text: 'x'.repeat(length) });
    const row = project(created, text(2, 0, 150), text(3, 150, 60));
    expect(row?.rev).toBe('768');
    expect(row && sessionListProjector.apply(row, text(4, 210, 5))).toBe(row);
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
