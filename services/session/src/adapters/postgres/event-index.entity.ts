import { EntitySchema } from 'typeorm';

import type { IndexedSession } from '../../core/event-index.projector.js';
import { SCHEMA } from './session-list.entity.js';

export const eventIndexEntity = new EntitySchema<IndexedSession>({
  name: 'EventIndex',
  schema: SCHEMA,
  tableName: 'event_index',
  columns: {
    sessionId: { name: 'session_id', type: 'text', primary: true },
    events: { type: 'int' },
    rev: { type: 'bigint' },
    marks: { type: 'jsonb' },
  },
});
