export * from './event-log.js';
export type { ObjectStore } from './object-store.js';
