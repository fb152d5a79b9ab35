export { compareEventIds } from './event-id.js';
export { evolveSession, foldSession, initialSessionState } from './fold.js';
export { SNAPSHOT_ROWS, snapshotOf } from './snapshot.js';
export * from './state.js';
