export { FakeDriver } from './fake.driver.js';
export type { FakeDriverOptions } from './fake.driver.js';
