import { EntitySchema } from 'typeorm';

import type { RepositoryListRow } from '../../core/repository-list.projector.js';
import { SCHEMA } from './session-list.entity.js';

export const repositoryListEntity = new EntitySchema<RepositoryListRow>({
  name: 'RepositoryList',
  schema: SCHEMA,
  tableName: 'repository_list',
  columns: {
    repositoryId: { name: 'repository_id', type: 'text', primary: true },
    organisationId: { name: 'organisation_id', type: 'text' },
    name: { type: 'text' },
    source: { type: 'text' },
    defaultBranch: { name: 'default_branch', type: 'text' },
    addedAt: { name: 'added_at', type: 'text' },
    usedAt: { name: 'used_at', type: 'text' },
    lastUsedAt: { name: 'last_used_at', type: 'text' },
    removed: { type: 'boolean' },
  },
});
