export type { Decider } from './decider.js';
export type { Projector } from './projector.js';
