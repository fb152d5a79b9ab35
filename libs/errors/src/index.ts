export { Bug, Fault, Rejection, assert, assertNever, describeError, isRejectionOf } from './errors.js';
export type { ErrorDescription, ErrorDetails, FaultOptions } from './errors.js';
