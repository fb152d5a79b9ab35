import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { identify } from '../src/supervisor/processes.js';
import { CHECKOUT, TestPlatform, eventually, freePort } from './platform.harness.js';
import { processesWithCommand } from './processes.harness.js';

const COMMAND_TIMEOUT_MS = 60_000;
/** The services in the order in which they start: their names in run.json, and what a person calls them. */
const SERVICES: Readonly<Record<string, string>> =
  process.env['BULLPEN_MODE'] === 'processes'
    ? { orchestrator: 'sandbox orchestrator', session: 'session service', gateway: 'gateway' }
    : { platform: 'platform' };

let platform: TestPlatform;

beforeAll(async () => {
  platform = await TestPlatform.start();
}, 90_000);
// Tests that stop it run in any order.
beforeEach(async () => {
  if (!(await platform.isReady())) await platform.up();
}, 90_000);
afterAll(() => platform.remove(), 60_000);

/** Another call of the supervisor, on the same home unless told otherwise. */
function supervisor(command: 'up' | 'down', extra: Readonly<Record<string, string>> = {}): Promise<{ exitCode: number; output: string }> {
  const script = join(CHECKOUT, 'apps/standalone/dist/supervisor.js');
  const options = { env: { ...platform.variables, ...extra }, timeout: COMMAND_TIMEOUT_MS, encoding: 'utf8' } as const;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [script, command], options, (_, stdout, stderr) =>
      resolve({ exitCode: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

const lineNumber = (text: string): number => platform.output.split('\n').findIndex((line) => line.includes(text));

describe('make up', () => {
  it('shows each step with its time, then the address, the token, a first command and what is not real', () => {
    const steps = ['home and ports', 'sample repository', 'Postgres', 'NATS', 'scripted model', 'event log', ...Object.values(SERVICES)];
    const lines = steps.map((step) => platform.output.split('\n').findIndex((line) => new RegExp(`^ +\\d+\\.\\d s {2}${step}$`).test(line)));
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
    expect(lines).not.toContain(-1);
    for (const text of [platform.url, platform.token, './bullpen run --repo sample', 'Scripted model: no API key set']) expect(platform.output).toContain(text);
  });

  it('says where it runs when called again, and changes nothing', async () => {
    const before = platform.runFile;
    const again = await supervisor('up');
    expect(again).toMatchObject({ exitCode: 0, output: expect.stringContaining(platform.url) as unknown });
    expect(platform.runFile).toEqual(before);
    expect(await platform.isReady()).toBe(true);
  });

  it('says which settings do not apply to the one that runs', async () => {
    const again = await supervisor('up', { ANTHROPIC_API_KEY: 'k', BULLPEN_PORT: String(platform.port + 1) });
    expect(again).toMatchObject({ exitCode: 0, output: expect.stringMatching(/do not apply until make down.*BULLPEN_PORT, ANTHROPIC_API_KEY/) as unknown });
    expect((await supervisor('up')).output).not.toContain('do not apply');
  });

  it.each([
    ['DATABASE_URL', 'postgres://u:s3cret@127.0.0.1:1/d', 'postgres.unreachable'],
    ['DATABASE_URL', 's3cret', 'postgres.url'],
    ['NATS_URL', 'ftp://s3cret', 'nats.url'],
  ])('says within seconds what is wrong with %s=%s, in words', async (variable, value, code) => {
    const home = join(platform.home, 'another-home');
    const began = Date.now();
    const refused = await supervisor('up', { BULLPEN_HOME: home, BULLPEN_PORT: String(await freePort()), [variable]: value });
    expect(refused).toMatchObject({ exitCode: 1, output: expect.stringMatching(new RegExp(`^${code.replace('.', '\\.')}: .*${variable}`, 'm')) as unknown });
    expect(refused.output).not.toMatch(/s3cret|"level"/);
    expect(Date.now() - began).toBeLessThan(20_000);
    expect(processesWithCommand(home)).toEqual([]);
  }, 60_000);

  it('names a port that another program has, and the variable to change', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const home = join(platform.home, 'another-home');
    const refused = await supervisor('up', { BULLPEN_HOME: home, BULLPEN_PORT: String(port) });
    other.close();
    expect(refused.exitCode).toBe(1);
    expect(refused.output).toMatch(new RegExp(`${port}.*BULLPEN_PORT=`));
    expect(processesWithCommand(home)).toEqual([]);
  }, 60_000);

  it('keeps no secret in arguments of processes, nor in the logs', () => {
    const secrets = Object.values(JSON.parse(readFileSync(join(platform.home, 'secrets.json'), 'utf8')) as Record<string, string>);
    const logs = Object.keys(platform.runFile.processes).map((name) => readFileSync(join(platform.home, 'logs', `${name}.log`), 'utf8'));
    for (const secret of [...secrets, platform.token]) {
      expect(processesWithCommand(secret)).toEqual([]);
      expect(logs.filter((log) => log.includes(secret))).toEqual([]);
    }
  });

  it.each([...Object.keys(SERVICES), 'scriptedModel', 'nats', 'postgres'])(
    'starts the %s again when it is killed',
    async (name) => {
      const killed = platform.kill(name);
      await eventually(`another ${name}`, 30_000, () => ![undefined, killed].includes(platform.runFile.processes[name]?.pid));
      await eventually('the platform is ready again', 30_000, () => platform.isReady());
    },
    90_000,
  );

  it('stops in order on Ctrl-C and leaves nothing; the next one finds its ports and data again', async () => {
    const before = platform.runFile;
    expect(await platform.stop()).toBe(0);
    const titles = [...Object.values(SERVICES).toReversed(), 'scripted model', 'NATS', 'Postgres'];
    const stops = titles.map((title) => lineNumber(`stop ${title}`));
    expect(stops).toEqual(stops.toSorted((a, b) => a - b));
    expect(stops).not.toContain(-1);
    expect(processesWithCommand(platform.home)).toEqual([]);
    for (const { pid } of Object.values(before.processes)) expect(identify(pid)).toBeNull();

    await platform.up();
    expect(platform.runFile.ports).toEqual(before.ports);
  }, 120_000);
});

describe('make down', () => {
  it('ends what a killed supervisor left, then finds nothing', async () => {
    const { processes } = platform.runFile;
    await platform.killSupervisor();
    expect(await supervisor('down')).toMatchObject({ exitCode: 0, output: expect.stringContaining('killed supervisor') as unknown });
    for (const { pid } of Object.values(processes)) expect(identify(pid)).toBeNull();
    expect(await supervisor('down')).toEqual({ exitCode: 0, output: 'Nothing runs.\n' });
  }, 60_000);

  it('stops a running one', async () => {
    expect(await supervisor('down')).toMatchObject({ exitCode: 0, output: expect.stringContaining('stopped') as unknown });
    expect(await platform.isReady()).toBe(false);
    expect(processesWithCommand(platform.home)).toEqual([]);
  }, 120_000);
});
