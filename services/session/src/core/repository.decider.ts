import type { EventData, RepositoryEvent } from '@bullpen/contracts';
import type { Decider } from '@bullpen/eventsourcing';

export type RepositoryData = EventData['RepositoryAdded'];
export type RepositoryAggregate = { readonly phase: 'none' } | ({ readonly phase: 'added' } & RepositoryData);

export interface AddRepository {
  readonly type: 'AddRepository';
  readonly repository: RepositoryData;
}

/** Its id is derived from organisation and source, so a repository that is there is the same one. */
export const repositoryDecider: Decider<RepositoryAggregate, AddRepository, RepositoryEvent> = {
  initialState: () => ({ phase: 'none' }),
  decide: ({ repository }, state) => (state.phase === 'added' ? [] : [{ type: 'RepositoryAdded', data: repository }]),
  evolve: (state, event) => (event.type === 'RepositoryAdded' ? { phase: 'added', ...event.data } : state),
};
