/** How far a projection is: everything at or below `sequence` of the log with this `epoch` is in its rows. */
export interface ProjectionPosition {
  readonly epoch: string;
  readonly sequence: number;
}

/** An event whose `rowId` or `apply` threw, or whose row the store does not take. Its row stays as it was before the event. */
export interface ProjectionFault {
  readonly eventId: string;
  readonly type: string;
  readonly rowId: string;
  readonly error: string;
}

export interface ProjectionBatch<Row> {
  readonly from: ProjectionPosition;
  readonly to: ProjectionPosition;
  /** `null` deletes. */
  readonly rows: ReadonlyMap<string, Row | null>;
  readonly faults: readonly ProjectionFault[];
}

/** The right to write one projection, held by one process at a time. Any method that fails leaves nothing half-done; open again then. */
export interface ProjectionWriter<Row> {
  readonly position: ProjectionPosition;
  /** Faults since the last rebuild. */
  readonly faults: number;
  /** @throws as `commit` does */
  load(rowIds: readonly string[]): Promise<ReadonlyMap<string, Row>>;
  /**
   * Rows, faults and position in one transaction. False, and nothing written, when the position is not `batch.from`.
   *
   * @throws Rejection `projection.not-storable`: the store will never take one of the rows
   */
  commit(batch: ProjectionBatch<Row>): Promise<boolean>;
  /** Deletes every row and fault and puts the position before the first event. */
  reset(epoch: string): Promise<ProjectionPosition>;
  close(): Promise<void>;
}

export interface ProjectionStore<Row> {
  /** Null while another process holds the projection. */
  open(projector: string): Promise<ProjectionWriter<Row> | null>;
}
