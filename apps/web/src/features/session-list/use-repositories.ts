import { queryOptions, useQuery } from '@tanstack/react-query';

import { callApi } from '../../lib/api.js';

export interface RepositoryName {
  readonly id: string;
  readonly name: string;
}

const NONE: readonly RepositoryName[] = [];

const repositoriesQuery = queryOptions({
  queryKey: ['repositories'],
  queryFn: ({ signal }) => callApi<{ readonly repositories: readonly RepositoryName[] }>('GET', '/repositories', { signal }),
});

/** To choose from; none until they are there. */
export function useRepositories(): readonly RepositoryName[] {
  return useQuery(repositoriesQuery).data?.repositories ?? NONE;
}
