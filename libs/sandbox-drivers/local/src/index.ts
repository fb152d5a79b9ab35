export { AGENTS_FOLDER_VARIABLE, createLocalDriver, LocalDriver } from './local.driver.js';
export type { LocalDriverOptions } from './local.driver.js';
