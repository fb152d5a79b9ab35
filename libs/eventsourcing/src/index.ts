export { createCommandHandler } from './command-handler.js';
export type {
  Aggregate,
  CommandHandler,
  CommandHandlerOptions,
  CommandMeta,
  DomainEvent,
  Handled,
} from './command-handler.js';
export type { Decider } from './decider.js';
export { deciderSpecification } from './decider-specification.js';
export type { DecidedThen, DeciderSpecification } from './decider-specification.js';
export { LruCache } from './lru-cache.js';
export { createPostgresProjectionStore, projectionTables, readProjectionPosition } from './postgres-projection-store.js';
export type { PostgresProjectionOptions } from './postgres-projection-store.js';
export type {
  ProjectionBatch,
  ProjectionFault,
  ProjectionPosition,
  ProjectionStore,
  ProjectionWriter,
} from './projection-store.js';
export { runProjection } from './projection.js';
export type { ProjectedEvent, Projection, ProjectionOptions, ProjectionStatus } from './projection.js';
export type { Projector } from './projector.js';
