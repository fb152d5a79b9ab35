export { isClosed, isSessionDeleted, laneClosed } from './closed-lane.js';
export type { LogCredentials } from './connection.js';
export * from './event-log.js';
export { FolderObjectStore } from './folder-object-store.js';
export { openFrameLane } from './frame-lane.js';
export type { Frame, FrameLane } from './frame-lane.js';
export { startGeneration } from './generations.js';
export type { Generation } from './generations.js';
export { derivedEntityId, eventId, newEntityId, parseEventId, sha256OfCanonicalJson } from './ids.js';
export type { EventPosition } from './ids.js';
export { connectEventLog } from './jetstream-event-log.js';
export { connectLaneEraser } from './lane-eraser.js';
export type { LaneEraser } from './lane-eraser.js';
export { connectLeases, LEASE_TTL_MS, MAX_LEASES } from './leases.js';
export type { Lease, Leases } from './leases.js';
export { parseNatsUrl } from './nats-address.js';
export type { NatsAddress, NatsLogin } from './nats-address.js';
export type { ObjectStore } from './object-store.js';
export {
  EVENT_STREAM,
  inboxPrefixOf,
  MINIMUM_NATS_VERSION,
  NATS_USERS,
  natsServerConfig,
  passwordVariableOf,
  requireNatsVersion,
} from './server-config.js';
export type { NatsCluster, NatsPasswords, NatsServerConfig, NatsUser } from './server-config.js';
export { connectServerHealth } from './server-health.js';
export type { ServerHealth } from './server-health.js';
export { stampEvents } from './stamp.js';
export { ensureEventStream } from './stream.js';
export type { EnsuredStream, EnsureStreamOptions } from './stream.js';
export { laneOfSubject, laneSubject, sessionSubjects } from './subjects.js';
