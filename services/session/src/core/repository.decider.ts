import type { EventData, RepositoryEvent } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { Decider } from '@bullpen/eventsourcing';

export type RepositoryData = EventData['RepositoryAdded'];
export type RepositoryAggregate =
  | { readonly phase: 'none' }
  | ({ readonly phase: 'added' | 'removed' } & RepositoryData);

export type RepositoryCommand =
  /** `rename`: the name was chosen by a person, so it takes the place of another one. */
  | { readonly type: 'AddRepository'; readonly repository: RepositoryData; readonly rename: boolean }
  | { readonly type: 'RemoveRepository'; readonly organisationId: string; readonly id: string };

/** Its id is derived from organisation and source, so a repository that is there, or was, is the same one. */
export const repositoryDecider: Decider<RepositoryAggregate, RepositoryCommand, RepositoryEvent> = {
  initialState: () => ({ phase: 'none' }),
  decide,
  evolve: (state, event) => {
    switch (event.type) {
      case 'RepositoryAdded':
        return { phase: 'added', ...event.data };
      case 'RepositoryRemoved':
        return state.phase === 'added' ? { ...state, phase: 'removed' } : state;
    }
    // A type that a newer build appended.
    return state;
  },
};

function decide(command: RepositoryCommand, state: RepositoryAggregate): readonly RepositoryEvent[] {
  switch (command.type) {
    case 'AddRepository': {
      const { repository, rename } = command;
      const isThere = state.phase === 'added' && (!rename || state.name === repository.name);
      return isThere ? [] : [{ type: 'RepositoryAdded', data: repository }];
    }
    case 'RemoveRepository':
      if (state.phase === 'none' || state.organisationId !== command.organisationId) throw noRepository(command.id);
      return state.phase === 'removed' ? [] : [{ type: 'RepositoryRemoved', data: {} }];
  }
}

export function noRepository(id: string): Rejection {
  return new Rejection('repository.unknown', `There is no repository with the id ${id}. List the repositories there are, or add it by its source.`, { id });
}
