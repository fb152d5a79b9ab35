import { useMutation } from '@tanstack/react-query';
import { ulid } from 'ulid';

import { callApi } from '../../lib/api.js';

export function useRename(sessionId: string) {
  return useMutation({ mutationFn: (title: string) => callApi('PATCH', `/sessions/${sessionId}`, { body: { title } }) });
}

export function useArchive(sessionId: string) {
  return useMutation({
    mutationFn: (isArchived: boolean) => callApi('POST', `/sessions/${sessionId}/${isArchived ? 'archive' : 'unarchive'}`, { idempotencyKey: ulid() }),
  });
}

export function useDelete(sessionId: string) {
  return useMutation({ mutationFn: () => callApi('DELETE', `/sessions/${sessionId}`) });
}
