import { EntitySchema } from 'typeorm';

import type { SessionListRow } from '../../core/session-list.projector.js';

export const SCHEMA = 'session';

/** Rebuilt from the log at any time. Times are RFC 3339 in UTC, which sort as text. */
export const sessionListEntity = new EntitySchema<SessionListRow>({
  name: 'SessionList',
  schema: SCHEMA,
  tableName: 'session_list',
  columns: {
    sessionId: { name: 'session_id', type: 'text', primary: true },
    organisationId: { name: 'organisation_id', type: 'text' },
    title: { type: 'text' },
    status: { type: 'text' },
    repositoryId: { name: 'repository_id', type: 'text' },
    repositoryName: { name: 'repository_name', type: 'text' },
    branch: { type: 'text' },
    agent: { type: 'text' },
    model: { type: 'text' },
    createdAt: { name: 'created_at', type: 'text' },
    updatedAt: { name: 'updated_at', type: 'text' },
    rev: { type: 'bigint' },
    turns: { type: 'int' },
    filesChanged: { name: 'files_changed', type: 'int' },
    additions: { type: 'int' },
    deletions: { type: 'int' },
    notable: { type: 'jsonb', nullable: true },
    queuedPrompts: { name: 'queued_prompts', type: 'jsonb' },
    running: { type: 'jsonb', nullable: true },
    lastOutcome: { name: 'last_outcome', type: 'text', nullable: true },
    archived: { type: 'boolean' },
    words: { type: 'text' },
    searchText: { name: 'search_text', type: 'text' },
  },
});
