export * from './event-log.js';
export { FolderObjectStore } from './folder-object-store.js';
export { derivedEntityId, eventId, newEntityId, parseEventId, sha256OfCanonicalJson } from './ids.js';
export type { EventPosition } from './ids.js';
export type { ObjectStore } from './object-store.js';
export { EVENT_STREAM, inboxPrefixOf, MINIMUM_NATS_VERSION, NATS_USERS, natsServerConfig, requireNatsVersion } from './server-config.js';
export type { NatsPasswords, NatsServerConfig, NatsUser } from './server-config.js';
export { stampEvents } from './stamp.js';
export { laneOfSubject, laneSubject, sessionSubjects } from './subjects.js';
