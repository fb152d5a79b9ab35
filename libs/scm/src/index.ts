export { git, GitFailed } from './git.js';
export type { GitOptions, GitResult } from './git.js';
