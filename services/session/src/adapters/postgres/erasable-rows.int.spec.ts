import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

import { silentLogger } from '@bullpen/telemetry';
import { startTestPostgres } from '@bullpen/testing';
import type { TestPostgres } from '@bullpen/testing';

import type { TurnCheckpoint } from '../../core/ports.js';
import { sessionListProjector } from '../../core/session-list.projector.js';
import { Database } from './database.js';
import { createErasableRows } from './erasable-rows.js';
import { createTurnCheckpoints } from './turn-checkpoints.js';

const epoch = 'e1';

describe('the rows that hold what people wrote', () => {
  let postgres: TestPostgres;
  let database: Database;

  beforeAll(async () => {
    postgres = await startTestPostgres();
    database = new Database(postgres.url, silentLogger);
    const sql = `INSERT INTO session.projection_positions (projector, epoch, sequence) VALUES ($1, $2, 20)`;
    await (await database.dataSource()).query(sql, [sessionListProjector.name, epoch]);
  }, 30_000);
  afterAll(async () => {
    await database.close();
    await postgres.stop();
  });

  const checkpointAt = (sequence: number): TurnCheckpoint => {
    const ending = { outcome: 'failed', reason: { code: 'agent.failed', message: 'what somebody wrote' } } as const;
    return { epoch, sequence, turns: new Map([['00aaaaaaaaaaaaaaaaaaaaaaaaaa', { turnId: 't', attempt: 1, generation: 1, ending }]]) };
  };

  it('keep no checkpoint from before the deletion, which may quote the session', async () => {
    const checkpoints = createTurnCheckpoints(database);
    const rows = createErasableRows(database, { url: postgres.url, epoch });
    await checkpoints.save(checkpointAt(10));
    await rows.erase([], 10);
    expect(await checkpoints.load()).toEqual(checkpointAt(10));
    await rows.erase([], 11);
    expect(await checkpoints.load()).toBeNull();
  });

  it('wait for readers who may still see what was deleted', async () => {
    const reader = (await database.dataSource()).createQueryRunner();
    await reader.startTransaction('REPEATABLE READ');
    await reader.query('SELECT count(*) FROM session.session_list');
    let erased = false;
    const erasing = createErasableRows(database, { url: postgres.url, epoch }).erase([], 10).then(() => (erased = true));
    await delay(300);
    expect(erased).toBe(false);
    await reader.commitTransaction();
    await reader.release();
    await erasing;
  });

  it('wait for the list to come to the deletion', async () => {
    const rows = createErasableRows(database, { url: postgres.url, epoch });
    await expect(rows.erase([], 21)).rejects.toMatchObject({ code: 'session-list.behind' });
  });
});
