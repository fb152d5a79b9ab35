import { Rejection } from '@bullpen/errors';

import type { ApiClient } from './api-client.js';

export interface RepositoryRow {
  readonly id: string;
  readonly name: string;
  readonly source: string;
  readonly defaultBranch: string;
  readonly lastUsedAt: string | null;
}

/** The one used last first. */
export async function listRepositories(api: ApiClient): Promise<readonly RepositoryRow[]> {
  return (await api.get<{ readonly repositories: readonly RepositoryRow[] }>('/repositories')).repositories;
}

export function addRepository(api: ApiClient, repository: { readonly source: string; readonly name?: string }): Promise<RepositoryRow> {
  return api.post('/repositories', repository);
}

export function removeRepository(api: ApiClient, id: string): Promise<void> {
  return api.delete(`/repositories/${id}`);
}

/** By id, its unique beginning or end, or name. @throws Rejection `repository.unknown`, `repository.ambiguous` */
export async function resolveRepository(api: ApiClient, reference: string): Promise<RepositoryRow> {
  const all = await listRepositories(api);
  const exact = all.filter(({ id, source }) => id === reference || source === reference);
  const matches = exact.length > 0 ? exact : all.filter(({ id, name }) => name === reference || id.startsWith(reference) || id.endsWith(reference));
  const [match, another] = matches;
  if (match && !another) return match;
  const next = './bullpen repos lists the repositories there are; a new one is given by its https or ssh URL, or its path';
  if (!match) throw new Rejection('repository.unknown', `No repository is called ${JSON.stringify(reference)}.`, { next });
  throw new Rejection('repository.ambiguous', `${matches.length} repositories are meant by ${JSON.stringify(reference)}.`, { next: 'give its id' });
}
