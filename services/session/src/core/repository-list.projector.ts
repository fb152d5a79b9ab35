import type { EventOf } from '@bullpen/contracts';
import type { ProjectedEvent, Projector } from '@bullpen/eventsourcing';

export interface RepositoryListRow {
  readonly repositoryId: string;
  readonly organisationId: string;
  readonly name: string;
  readonly source: string;
  readonly defaultBranch: string;
  readonly addedAt: string;
  /** When a session was last created on it, or else when it was added. */
  readonly usedAt: string;
  /** Empty: no session yet. */
  readonly lastUsedAt: string;
  readonly removed: boolean;
}

const HANDLED = ['RepositoryAdded', 'RepositoryRemoved', 'SessionCreated'] as const;
type HandledEvent = EventOf<(typeof HANDLED)[number]>;

/** One row a repository, over two entities: its own lane, and the sessions that are created on it. */
export const repositoryListProjector: Projector<ProjectedEvent, RepositoryListRow> = {
  name: 'repository-list.v1',
  handles: HANDLED,
  rowId: (event) => {
    const handled = event as unknown as HandledEvent;
    return handled.type === 'SessionCreated' ? handled.data.repository.id : event.lane.id;
  },
  apply: (row, event) => {
    const handled = event as unknown as HandledEvent;
    switch (handled.type) {
      case 'RepositoryAdded':
        return added(row, event, handled.data);
      case 'RepositoryRemoved':
        return row && { ...row, removed: true };
      case 'SessionCreated':
        return row && { ...row, usedAt: event.at, lastUsedAt: event.at };
    }
  },
};

function added(row: RepositoryListRow | null, event: ProjectedEvent, data: EventOf<'RepositoryAdded'>['data']): RepositoryListRow {
  const addedAt = row && !row.removed ? row.addedAt : event.at;
  const lastUsedAt = row?.lastUsedAt ?? '';
  return { repositoryId: event.lane.id, ...data, addedAt, lastUsedAt, usedAt: lastUsedAt || addedAt, removed: false };
}
