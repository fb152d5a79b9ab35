export { followSession } from './follow-session.js';
export type { FollowClock, Following, FollowSessionOptions, SocketListener, SyncSocket } from './follow-session.js';
export { SILENCE_MS, beginFollowing, followStep } from './follow.machine.js';
export * from './follow.states.js';
export * from './protocol.js';
