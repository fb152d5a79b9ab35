import type { TurnCheckpoints } from '../../core/ports.js';
import type { FollowedTurn } from '../../core/turn-process.js';
import type { Database } from './database.js';
import { SCHEMA } from './session-list.entity.js';

/** What is stored changes shape only with a new name. */
const NAME = 'turn-process.v1';

interface CheckpointRow {
  readonly epoch: string;
  readonly sequence: string;
  readonly turns: Readonly<Record<string, FollowedTurn>>;
}

export function createTurnCheckpoints(database: Database): TurnCheckpoints {
  return {
    load: async () => {
      const dataSource = await database.dataSource();
      const sql = `SELECT epoch, sequence, turns FROM ${SCHEMA}.turn_checkpoint WHERE name = $1`;
      const [row] = await dataSource.query<CheckpointRow[]>(sql, [NAME]);
      return row ? { epoch: row.epoch, sequence: Number(row.sequence), turns: new Map(Object.entries(row.turns)) } : null;
    },
    save: async ({ epoch, sequence, turns }) => {
      const dataSource = await database.dataSource();
      await dataSource.query(
        `INSERT INTO ${SCHEMA}.turn_checkpoint (name, epoch, sequence, turns) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET epoch = $2, sequence = $3, turns = $4`,
        [NAME, epoch, sequence, JSON.stringify(Object.fromEntries(turns))],
      );
    },
  };
}
