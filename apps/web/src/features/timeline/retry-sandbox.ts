import { useMutation } from '@tanstack/react-query';
import { ulid } from 'ulid';

import { callApi } from '../../lib/api.js';

export function useRetrySandbox(sessionId: string) {
  return useMutation({ mutationFn: () => callApi('POST', `/sessions/${sessionId}/retry`, { idempotencyKey: ulid() }) });
}
