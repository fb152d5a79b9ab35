import { Fault } from '@bullpen/errors';

import type { RepositoryList } from '../../core/ports.js';
import { repositoryListProjector } from '../../core/repository-list.projector.js';
import type { Database } from './database.js';
import { requireQueryText } from './query-text.js';
import { reached, sequenceToReach } from './read-after.js';
import { repositoryListEntity } from './repository-list.entity.js';

const MAX_REPOSITORIES = 500;

/** Reads committed rows, whichever process writes them. */
export function createRepositoryList(database: Database, epoch: string): RepositoryList {
  return {
    list: async ({ organisationId, after }) => {
      const sequence = sequenceToReach(after);
      requireQueryText({ organisationId });
      try {
        const dataSource = await database.dataSource();
        const stale = sequence > 0 && !(await reached(dataSource, repositoryListProjector.name, { epoch, sequence }));
        const rows = await dataSource.getRepository(repositoryListEntity).find({
          where: { organisationId, removed: false },
          order: { usedAt: 'DESC', repositoryId: 'ASC' },
          take: MAX_REPOSITORIES,
        });
        return { rows, stale };
      } catch (cause) {
        const message = 'The list of repositories cannot be read: its database is away. Try again shortly.';
        throw new Fault('repository-list.unavailable', message, { cause });
      }
    },
  };
}
