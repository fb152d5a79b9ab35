import { queryOptions, useQuery } from '@tanstack/react-query';

import type { ModelProvider } from '@bullpen/contracts';

import { callApi } from '../../lib/api.js';

export interface Agent {
  readonly agent: string;
  readonly model: string;
  readonly provider: ModelProvider;
  /** What a person must know of the model. */
  readonly notice: string | null;
}

interface AgentsAnswer {
  readonly agents: readonly Agent[];
  /** Null while nobody can say how sandboxes run. */
  readonly sandbox: { readonly warning: string | null } | null;
}

const agentsQuery = queryOptions({
  queryKey: ['agents'],
  queryFn: ({ signal }) => callApi<AgentsAnswer>('GET', '/agents', { signal }),
});

export function useAgents() {
  return useQuery(agentsQuery);
}
