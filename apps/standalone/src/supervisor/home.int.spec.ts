import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { homeAt, loadSecrets, loadToken, prepareHome, type Home } from './home.js';
import { endSandboxes, sandboxProcesses } from './leftovers.js';
import { LogFile } from './logs.js';
import { choosePorts, portProblem, requireFreePort } from './ports.js';
import { endProcess, identify, isAlive } from './processes.js';
import { PORT_NAMES, readRun, releaseLock, runningSupervisor, takeLock, writeRun } from './run-file.js';
import { ensureSampleRepository } from './sample.js';

const NONE_BEFORE = { ports: {}, inUse: new Set<string>(), patienceMs: 0 };

let home: Home;

beforeEach(() => {
  home = homeAt(mkdtempSync(join(tmpdir(), 'bullpen-home-')));
  prepareHome(home);
});
afterEach(() => rmSync(home.folder, { recursive: true, force: true }));

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the home', () => {
  it('keeps token and secrets, readable by nobody else', () => {
    const [secrets, token] = [loadSecrets(home), loadToken(home)];
    expect(loadSecrets(home)).toEqual(secrets);
    expect(loadToken(home)).toBe(token);
    expect(new Set([...Object.values(secrets), token]).size).toBe(8);
    expect([home.folder, home.secretsFile, home.tokenFile].map(modeOf)).toEqual(['700', '600', '600']);
  });

  it('names a folder that cannot be made, and what to set instead', () => {
    const file = join(home.folder, 'a-file');
    writeFileSync(file, '');
    const refused = expect.objectContaining({ code: 'home.not-a-folder', message: expect.stringMatching(/a-file is a file\. Set BULLPEN_HOME/) as unknown });
    for (const folder of [file, join(file, 'inside')]) expect(() => prepareHome(homeAt(folder))).toThrow(refused as unknown as Error);
    // A file system without room for any file is not full.
    const unwritable = expect.objectContaining({ code: 'home.not-writable', message: expect.stringMatching(/\/proc\/x cannot be written.*BULLPEN_HOME/) as unknown });
    expect(() => prepareHome(homeAt('/proc/x'))).toThrow(unwritable as unknown as Error);
  });

  it('does not make new secrets in place of damaged ones', () => {
    writeFileSync(home.secretsFile, '{');
    expect(() => loadSecrets(home)).toThrow(/secrets\.json/);
  });
});

describe('the lock', () => {
  it('is held once, and names its holder', () => {
    expect(takeLock(home)).toBeNull();
    expect(takeLock(home)).toEqual(identify(process.pid));
    releaseLock(home);
    expect(runningSupervisor(home)).toBeNull();
    expect(takeLock(home)).toBeNull();
  });

  it('of a dead holder, or of another process with its pid, is taken over', async () => {
    const child = spawn('sleep', ['60']);
    const dead = identify(child.pid ?? 0);
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(home.lockFile, JSON.stringify(dead));
    expect(takeLock(home)).toBeNull();
    writeFileSync(home.lockFile, JSON.stringify({ pid: process.pid, startTime: '1' }));
    expect(takeLock(home)).toBeNull();
    writeFileSync(home.lockFile, '');
    expect(takeLock(home)).toBeNull();
  });
});

describe('the run file', () => {
  it('comes back as written, mode 0600, and counts as none when damaged', async () => {
    const run = { url: 'http://x', ports: await choosePorts(NONE_BEFORE), supervisor: identify(process.pid), processes: {} };
    writeRun(home, run);
    expect(readRun(home)).toEqual(run);
    expect(modeOf(home.runFile)).toBe('600');
    writeFileSync(home.runFile, '{}');
    expect(readRun(home)).toBeNull();
  });
});

describe('ports', () => {
  it('stay the same while they are free, and are all different', async () => {
    const first = await choosePorts(NONE_BEFORE);
    expect(new Set(Object.values(first)).size).toBe(PORT_NAMES.length);
    expect(await choosePorts({ ...NONE_BEFORE, ports: first })).toEqual(first);
  });

  it('change when taken; a taken public port is named with the variable to set', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    expect((await choosePorts({ ...NONE_BEFORE, ports: { nats: port } })).nats).not.toBe(port);
    expect((await choosePorts({ ...NONE_BEFORE, ports: { nats: port }, inUse: new Set(['nats']) })).nats).toBe(port);
    await expect(requireFreePort(port, '127.0.0.1')).rejects.toThrow(new RegExp(`Port ${port} .*BULLPEN_PORT=`));
    await expect(requireFreePort(65_535, '192.0.2.1', 60_000)).rejects.toMatchObject({ code: 'port.unusable', message: expect.stringMatching(/^BULLPEN_HOST=192\.0\.2\.1 .*unset it/) as unknown });
    setTimeout(() => taken.close(), 200);
    await requireFreePort(port, '127.0.0.1', 5_000);
  });

  it('that this user may not have are told from those of another program', () => {
    const problem = portProblem(80, '127.0.0.1', Object.assign(new Error('no'), { code: 'EACCES' }));
    expect(problem).toMatchObject({ code: 'port.forbidden', message: expect.stringContaining('BULLPEN_PORT=4800 make up') as unknown });
  });
});

describe('the sample repository', () => {
  it('has a main branch whose tests pass, and is left alone once it is there', async () => {
    await ensureSampleRepository(home.sampleRepository);
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: home.sampleRepository, encoding: 'utf8' }).trim();
    expect(git('symbolic-ref', '--short', 'HEAD')).toBe('main');
    expect(git('status', '--porcelain')).toBe('');
    expect(execFileSync(process.execPath, ['--test'], { cwd: home.sampleRepository, encoding: 'utf8', env: {} })).toMatch(/fail 0/);
    writeFileSync(join(home.sampleRepository, 'mine.txt'), 'x');
    await ensureSampleRepository(home.sampleRepository);
    expect(git('status', '--porcelain')).toBe('?? mine.txt');
  });
});

describe('leftovers of sandboxes', () => {
  it('are found by the id in their environment, those of this home only, and killed with their children', async () => {
    const [ours, others] = ['session-a-1', 'session-b-1'].map((id) =>
      spawn('sh', ['-c', 'setsid sleep 60 & sleep 60'], { env: { PATH: process.env['PATH'], BULLPEN_SANDBOX_ID: id }, stdio: 'ignore', detached: true }),
    ) as [ReturnType<typeof spawn>, ReturnType<typeof spawn>];
    writeFileSync(join(home.sandboxes, 'session-a-1'), '');
    while (sandboxProcesses(home).length < 3) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await endSandboxes(home)).toBe(3);
    expect(sandboxProcesses(home)).toEqual([]);
    const other = identify(others.pid ?? 0);
    expect(other !== null && isAlive(other)).toBe(true);
    expect(identify(ours.pid ?? 0)).toBeNull();
    if (other !== null) await endProcess(other, 'SIGKILL', 0);
    writeFileSync(join(home.sandboxes, 'session-b-1'), '');
    await endSandboxes(home);
  });
});

describe('LogFile', () => {
  it('is emptied in place at its limit while a child writes on, and shows its last lines', () => {
    const log = new LogFile(home.logs, 'x');
    expect(log.tail()).toBe('');
    writeFileSync(log.path, `${'y'.repeat(100)}\nlast\n`);
    expect(log.tail().split('\n').at(-1)).toBe('last');
    log.rotate(50);
    expect(readFileSync(log.path, 'utf8')).toBe('');
    expect(readFileSync(`${log.path}.1`, 'utf8')).toContain('last');
  });

  it('shows nothing of the process before', () => {
    writeFileSync(join(home.logs, 'x.log'), 'of the last start\n');
    const log = new LogFile(home.logs, 'x');
    closeSync(log.open());
    expect(log.tail()).toBe('');
    appendFileSync(log.path, 'of this one\n');
    expect(log.tail()).toBe('of this one');
  });
});
