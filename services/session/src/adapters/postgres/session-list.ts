import type { DataSource, SelectQueryBuilder } from 'typeorm';

import { Fault, Rejection } from '@bullpen/errors';

import type { SessionList, SessionListPage, SessionListQuery } from '../../core/ports.js';
import { sessionListProjector } from '../../core/session-list.projector.js';
import type { SessionListRow } from '../../core/session-list.projector.js';
import type { Database } from './database.js';
import { requireQueryText } from './query-text.js';
import { reached, sequenceToReach } from './read-after.js';
import { sessionListEntity } from './session-list.entity.js';

interface Cursor {
  readonly createdAt: string;
  readonly sessionId: string;
}

/** Reads committed rows, whichever process writes them. `epoch` is the log's: a position in another log says nothing about `after`. */
export function createSessionList(database: Database, epoch: string): SessionList {
  return {
    list: async (query) => {
      const after = sequenceToReach(query.after);
      const cursor = cursorOf(query.cursor);
      requireQueryText({ organisationId: query.organisationId, repositoryId: query.repositoryId, sessionIds: query.sessionIds.join('') });
      try {
        const dataSource = await database.dataSource();
        const stale = after > 0 && !(await reached(dataSource, sessionListProjector.name, { epoch, sequence: after }));
        return await readPage(dataSource, query, cursor, stale);
      } catch (cause) {
        throw new Fault('session-list.unavailable', 'The list of sessions cannot be read: its database is away. Try again shortly.', {
          cause,
        });
      }
    },
  };
}

async function readPage(
  dataSource: DataSource,
  { organisationId, status, words, repositoryId, sessionIds, limit }: SessionListQuery,
  cursor: Cursor | null,
  stale: boolean,
): Promise<SessionListPage> {
  const found = dataSource.getRepository(sessionListEntity).createQueryBuilder('row').where({ organisationId });
  if (status) found.andWhere('row.status = :status', { status });
  else found.andWhere('NOT row.archived');
  if (repositoryId !== '') found.andWhere('row.repositoryId = :repositoryId', { repositoryId });
  if (sessionIds.length > 0) found.andWhere('row.sessionId IN (:...sessionIds)', { sessionIds });
  // Words are letters and digits only, so they say nothing to the query's grammar.
  const search = words.map((word) => `${word}:*`).join(' & ');
  if (search !== '') found.andWhere(`row.search @@ to_tsquery('simple', :search)`, { search });
  const rows = await newestFirst(found, cursor).take(limit + 1).getMany();
  const page = rows.slice(0, limit);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return { rows: page, nextCursor: last ? encodeCursor(last) : '', stale };
}

/** By creation, which never changes: paging neither repeats nor leaves out what was there when it began. */
function newestFirst(query: SelectQueryBuilder<SessionListRow>, cursor: Cursor | null): SelectQueryBuilder<SessionListRow> {
  if (cursor) query.andWhere('(row.created_at, row.session_id) < (:createdAt, :sessionId)', cursor);
  return query.orderBy('row.createdAt', 'DESC').addOrderBy('row.sessionId', 'DESC');
}

function encodeCursor({ createdAt, sessionId }: Cursor): string {
  return Buffer.from(JSON.stringify([createdAt, sessionId])).toString('base64url');
}

function cursorOf(text: string): Cursor | null {
  if (text === '') return null;
  try {
    const [createdAt, sessionId] = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown[];
    const isOurs = typeof createdAt === 'string' && typeof sessionId === 'string' && !`${createdAt}${sessionId}`.includes('\0');
    if (isOurs) return { createdAt, sessionId };
  } catch {
    // Told below.
  }
  throw new Rejection('request.invalid', 'The cursor is not one of ours. Give `nextCursor` of the page before, or none.');
}
