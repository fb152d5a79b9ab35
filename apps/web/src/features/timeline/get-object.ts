import { queryOptions, useQuery } from '@tanstack/react-query';

import { readText } from '../../lib/api.js';

/** Content addressed by its hash never changes; it is let go soon after the last row that shows it. */
const objectQuery = (sessionId: string, sha256: string) =>
  queryOptions({
    queryKey: ['object', sessionId, sha256],
    queryFn: ({ signal }) => readText(`/sessions/${sessionId}/objects/${sha256}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  });

export function useObjectText(sessionId: string, sha256: string, isWanted: boolean) {
  return useQuery({ ...objectQuery(sessionId, sha256), enabled: isWanted });
}
