import { setTimeout as delay } from 'node:timers/promises';

import { In } from 'typeorm';
import type { DataSource, EntitySchema, FindOptionsWhere, ObjectLiteral, QueryRunner } from 'typeorm';
import type { QueryDeepPartialEntity } from 'typeorm/query-builder/QueryPartialEntity.js';

import { Rejection } from '@bullpen/errors';

import type { ProjectionBatch, ProjectionPosition, ProjectionStore, ProjectionWriter } from './projection-store.js';

const CLOSE_TIMEOUT_MS = 1_000;
/** SQLSTATE classes that a value causes and no repetition mends: data exception, constraint violation, program limit exceeded. */
const VALUE_ERRORS = /^(?:22|23|54)/;

export interface PostgresProjectionOptions<Row extends ObjectLiteral> {
  /** Called at every opening; throws while the database is away. */
  readonly dataSource: () => Promise<DataSource>;
  /** A trusted name, from code. Its migration runs `projectionTables(schema)`. */
  readonly schema: string;
  readonly rows: EntitySchema<Row>;
  /** The column that `rowId` names; the table's primary key. */
  readonly key: keyof Row & string;
}

/** Statements that a service's migration runs in its own schema: positions and faults of its projections. */
export function projectionTables(schema: string): readonly string[] {
  return [
    `CREATE TABLE ${schema}.projection_positions (projector text PRIMARY KEY, epoch text NOT NULL, sequence bigint NOT NULL)`,
    `CREATE TABLE ${schema}.projection_faults (
      projector text NOT NULL, event_id text NOT NULL, type text NOT NULL, row_id text NOT NULL, error text NOT NULL,
      at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (projector, event_id))`,
  ];
}

/** Committed position of a projection, from any process; null before its first run. */
export async function readProjectionPosition(
  dataSource: DataSource,
  schema: string,
  projector: string,
): Promise<ProjectionPosition | null> {
  const sql = `SELECT epoch, sequence FROM ${schema}.projection_positions WHERE projector = $1`;
  const [row] = await dataSource.query<{ epoch: string; sequence: string }[]>(sql, [projector]);
  return row ? { epoch: row.epoch, sequence: Number(row.sequence) } : null;
}

/**
 * Rows in a table of the service, position and faults beside them. The right to write is an advisory lock of the very connection that
 * writes, so it ends with that connection.
 */
export function createPostgresProjectionStore<Row extends ObjectLiteral>(options: PostgresProjectionOptions<Row>): ProjectionStore<Row> {
  return {
    open: async (projector) => {
      const dataSource = await options.dataSource();
      const runner = dataSource.createQueryRunner();
      const connection = (await runner.connect()) as { end(): Promise<void> };
      const writer = new PostgresProjectionWriter(options, projector, runner, connection);
      try {
        if (await writer.takeLock()) return writer;
        await writer.close();
        return null;
      } catch (error) {
        await writer.close();
        throw error;
      }
    },
  };
}

class PostgresProjectionWriter<Row extends ObjectLiteral> implements ProjectionWriter<Row> {
  position: ProjectionPosition = { epoch: '', sequence: 0 };
  faults = 0;

  constructor(
    private readonly options: PostgresProjectionOptions<Row>,
    private readonly projector: string,
    private readonly runner: QueryRunner,
    private readonly connection: { end(): Promise<void> },
  ) {}

  async takeLock(): Promise<boolean> {
    const { schema } = this.options;
    const lock = await this.#rows<{ locked: boolean }>(`SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS locked`, [
      `${schema}.${this.projector}`,
    ]);
    if (!lock[0]?.locked) return false;
    // Rows and position are lost together or not at all, and can be derived again: waiting for the disk buys nothing.
    await this.runner.query('SET synchronous_commit TO off');
    await this.runner.query(
      `INSERT INTO ${schema}.projection_positions (projector, epoch, sequence) VALUES ($1, '', 0) ON CONFLICT DO NOTHING`,
      [this.projector],
    );
    const [state] = await this.#rows<{ epoch: string; sequence: string; faults: string }>(
      `SELECT epoch, sequence, (SELECT count(*) FROM ${schema}.projection_faults f WHERE f.projector = p.projector) AS faults
       FROM ${schema}.projection_positions p WHERE projector = $1`,
      [this.projector],
    );
    this.position = { epoch: state?.epoch ?? '', sequence: Number(state?.sequence ?? 0) };
    this.faults = Number(state?.faults ?? 0);
    return true;
  }

  async load(rowIds: readonly string[]): Promise<ReadonlyMap<string, Row>> {
    const { rows, key } = this.options;
    const where = { [key]: In([...rowIds]) } as FindOptionsWhere<Row>;
    const found = await unlessNotStorable(this.runner.manager.getRepository(rows).find({ where }));
    return new Map(found.map((row) => [String(row[key]), row]));
  }

  async commit(batch: ProjectionBatch<Row>): Promise<boolean> {
    const committed = this.#inTransaction(async () => {
      if (!(await this.#movePosition(batch.from, batch.to))) return false;
      await this.#writeRows(batch.rows);
      for (const fault of batch.faults) {
        await this.runner.query(
          `INSERT INTO ${this.options.schema}.projection_faults (projector, event_id, type, row_id, error)
           VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
          [this.projector, fault.eventId, storable(fault.type), fault.rowId, storable(fault.error)],
        );
      }
      return true;
    });
    return unlessNotStorable(committed);
  }

  async reset(epoch: string): Promise<ProjectionPosition> {
    const { schema, rows } = this.options;
    const start = { epoch, sequence: 0 };
    await this.#inTransaction(async () => {
      await this.runner.manager.createQueryBuilder().delete().from(rows).execute();
      await this.runner.query(`DELETE FROM ${schema}.projection_faults WHERE projector = $1`, [this.projector]);
      await this.runner.query(`UPDATE ${schema}.projection_positions SET epoch = $2, sequence = 0 WHERE projector = $1`, [
        this.projector,
        epoch,
      ]);
      return true;
    });
    return start;
  }

  /** Ends the connection instead of giving it back: the lock must not stay with a connection of the pool. */
  async close(): Promise<void> {
    // The server notices an ended connection a moment later; unlocking lets the next process begin at once.
    await withinCloseTimeout(this.runner.query('SELECT pg_advisory_unlock_all()'));
    // Cuts it when the server still owes an answer.
    await withinCloseTimeout(this.connection.end());
    await this.runner.release().catch(() => undefined);
  }

  async #movePosition(from: ProjectionPosition, to: ProjectionPosition): Promise<boolean> {
    const moved = await this.runner.query(
      `UPDATE ${this.options.schema}.projection_positions SET epoch = $2, sequence = $3
       WHERE projector = $1 AND epoch = $4 AND sequence = $5`,
      [this.projector, to.epoch, to.sequence, from.epoch, from.sequence],
      true,
    );
    return moved.affected === 1;
  }

  async #writeRows(rows: ReadonlyMap<string, Row | null>): Promise<void> {
    const { key } = this.options;
    const repository = this.runner.manager.getRepository(this.options.rows);
    const kept = [...rows.values()].filter((row) => row !== null).map(storable);
    const deleted = [...rows].filter(([, row]) => row === null).map(([id]) => id);
    if (kept.length > 0) await repository.upsert(kept as QueryDeepPartialEntity<Row>[], [key]);
    if (deleted.length > 0) await repository.delete({ [key]: In(deleted) } as FindOptionsWhere<Row>);
  }

  async #inTransaction(work: () => Promise<boolean>): Promise<boolean> {
    await this.runner.startTransaction();
    try {
      const kept = await work();
      if (kept) await this.runner.commitTransaction();
      else await this.runner.rollbackTransaction();
      return kept;
    } catch (error) {
      await this.runner.rollbackTransaction().catch(() => undefined);
      throw error;
    }
  }

  async #rows<T>(sql: string, parameters: unknown[]): Promise<T[]> {
    return (await this.runner.query(sql, parameters)) as T[];
  }
}

/** Rejects with `projection.not-storable` when the database refuses a value instead of being away. */
async function unlessNotStorable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const state = typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string' ? error.code : '';
    if (!VALUE_ERRORS.test(state)) throw error;
    throw new Rejection('projection.not-storable', `Postgres does not take a row (${state}): ${String(error)}`, { state });
  }
}

async function withinCloseTimeout(work: Promise<unknown>): Promise<void> {
  await Promise.race([work, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]).catch(() => undefined);
}

/** Postgres takes no U+0000, in text or in jsonb. An event may hold one, and no event may stop a projection. */
function storable<Value>(value: Value): Value {
  if (typeof value === 'string') return value.replaceAll('\u0000', '\ufffd') as Value;
  if (Array.isArray(value)) return value.map(storable) as Value;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [storable(key), storable(inner)])) as Value;
}
