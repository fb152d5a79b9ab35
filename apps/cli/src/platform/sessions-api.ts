import type { SessionEvent, SessionStatus } from '@bullpen/contracts';
import type { SessionState } from '@bullpen/session-model';

import type { ApiClient } from './api-client.js';

export interface SessionRow {
  readonly id: string;
  readonly title: string;
  readonly status: SessionStatus;
  readonly repository: { readonly id: string; readonly name: string };
  readonly branch: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly turns: number;
  readonly filesChanged: number;
}

interface SessionPage {
  readonly sessions: readonly SessionRow[];
  readonly nextCursor: string | null;
}

export interface EventsPage {
  readonly events: readonly SessionEvent[];
  readonly head: string;
  readonly more: boolean;
}

export interface NewSession {
  readonly repository: string;
  readonly branch?: string;
  readonly title?: string;
  readonly prompt: string;
}

const ROWS_PER_PAGE = 200;
/** Sessions older than the newest so many pages are not looked through. */
const MAX_PAGES = 20;

export interface SessionFilter {
  readonly status?: string;
  /** Words, or beginnings of words. */
  readonly q?: string;
  /** Id of a repository. */
  readonly repository?: string;
}

/** Newest first; archived ones only where their status is asked for. */
export async function* listSessions(api: ApiClient, filter: SessionFilter = {}): AsyncGenerator<SessionRow> {
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = new URLSearchParams({ limit: String(ROWS_PER_PAGE), ...filter, ...(cursor ? { cursor } : {}) });
    const answer: SessionPage = await api.get(`/sessions?${query.toString()}`);
    yield* answer.sessions;
    cursor = answer.nextCursor;
    if (cursor === null) return;
  }
}

export function createSession(api: ApiClient, session: NewSession): Promise<{ readonly id: string; readonly promptId: string }> {
  return api.post('/sessions', session);
}

export function getSession(api: ApiClient, id: string): Promise<SessionState> {
  return api.get(`/sessions/${id}`);
}

export function queuePrompt(api: ApiClient, id: string, text: string): Promise<{ readonly promptId: string; readonly position: number }> {
  return api.post(`/sessions/${id}/prompts`, { text });
}

export function cancelTurn(api: ApiClient, id: string): Promise<{ readonly cancelling: boolean }> {
  return api.post(`/sessions/${id}/cancel`);
}

export function retryTurn(api: ApiClient, id: string): Promise<{ readonly retrying: boolean }> {
  return api.post(`/sessions/${id}/retry`);
}

export function getDiff(api: ApiClient, id: string, turnId: string | undefined): Promise<Uint8Array> {
  return api.getBytes(`/sessions/${id}/diff${turnId === undefined ? '' : `?turn=${encodeURIComponent(turnId)}`}`);
}

/** At most `limit` events, or as many as the platform puts into a page. */
export function getEvents(api: ApiClient, id: string, after: string, limit?: number): Promise<EventsPage> {
  const query = new URLSearchParams({ after, ...(limit === undefined ? {} : { limit: String(limit) }) });
  return api.get(`/sessions/${id}/events?${query.toString()}`);
}

export function renameSession(api: ApiClient, id: string, title: string): Promise<object> {
  return api.patch(`/sessions/${id}`, { title });
}

export function archiveSession(api: ApiClient, id: string): Promise<{ readonly changed: boolean }> {
  return api.post(`/sessions/${id}/archive`);
}

export function unarchiveSession(api: ApiClient, id: string): Promise<{ readonly changed: boolean }> {
  return api.post(`/sessions/${id}/unarchive`);
}

export function deleteSession(api: ApiClient, id: string): Promise<void> {
  return api.delete(`/sessions/${id}`);
}
