import { sandboxDriverContract } from '@bullpen/sandbox-driver/contract';

import { FakeDriver } from './fake.driver.js';

sandboxDriverContract('fake', async () => {
  const driver: FakeDriver = new FakeDriver({
    script: (id, spec) => {
      const behaviour = spec.runner.repository.branch;
      if (behaviour === 'stays') return 'running';
      setImmediate(() => {
        const log = `the secret is ${spec.secrets['CONTRACT_SECRET']}!`;
        driver.log(id, log);
        driver.exit(id, { exitCode: 3 });
      });
      return 'running';
    },
  });
  return {
    driver,
    starts: async (id) => driver.started.filter((started) => started === id).length,
    isAlive: async (id) => driver.observedOf(id)?.phase === 'running',
    visibleText: async (id) => JSON.stringify(driver.observedOf(id) ?? null),
    close: async () => undefined,
  };
});
