import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { ulid } from 'ulid';

import { callApi } from '../../lib/api.js';

export interface Repository {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly defaultBranch: string;
}

interface ListedRepository extends Repository {
  /** Null when no session worked on it yet. */
  readonly lastUsedAt: string | null;
}

const repositoriesQuery = queryOptions({
  queryKey: ['repositories'],
  queryFn: ({ signal }) => callApi<{ readonly repositories: readonly ListedRepository[] }>('GET', '/repositories', { signal }),
  select: ({ repositories }) => repositories,
});

/** The one used last comes first. */
export function useRepositories() {
  return useQuery(repositoriesQuery);
}

/** By URL or path; the platform looks at it first, which may take ten seconds. */
export function useAddRepository() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (source: string) => callApi<Repository>('POST', '/repositories', { body: { source }, idempotencyKey: ulid() }),
    onSuccess: () => queries.invalidateQueries({ queryKey: repositoriesQuery.queryKey }),
  });
}
