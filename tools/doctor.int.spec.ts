import { execFileSync, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import { freePort, startTestNats, startTestPostgres } from '@bullpen/testing';

/** Goal: every line of `make doctor`, by its code. Method: the script itself, as a program would ask it. */
const CHECKOUT = join(import.meta.dirname, '..');
const IS_ROOT = process.getuid?.() === 0;

interface Finding {
  readonly code: string;
  readonly state: 'ok' | 'note' | 'fail';
  readonly what: string;
  readonly cure: string | null;
}

let home: string;
let child: ChildProcess | null;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bullpen-doctor-'));
  child = null;
});
afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const write = (name: string, value: unknown): void => writeFileSync(join(home, name), JSON.stringify(value));

async function start(extra: Readonly<Record<string, string>>, args: readonly string[], checkout: string): Promise<{ status: number | null; output: string }> {
  const env = { PATH: process.env['PATH'], BULLPEN_HOME: home, BULLPEN_PORT: String(await freePort()), ...extra };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(checkout, 'tools', 'doctor.mjs'), ...args], { cwd: tmpdir(), env, encoding: 'utf8' });
  expect(stderr).toBe('');
  return { status, output: stdout };
}

async function doctor(extra: Readonly<Record<string, string>> = {}, checkout = CHECKOUT): Promise<{ status: number | null; findings: readonly Finding[] }> {
  const { status, output } = await start(extra, ['--json'], checkout);
  const { ok, findings } = JSON.parse(output) as { ok: boolean; findings: Finding[] };
  // Whatever is wrong has its cure, and decides the exit code alone.
  expect(findings.filter(({ state, cure }) => state !== 'ok' && !cure)).toEqual([]);
  expect({ ok, status }).toEqual(findings.some(({ state }) => state === 'fail') ? { ok: false, status: 1 } : { ok: true, status: 0 });
  return { status, findings };
}

async function problems(extra: Readonly<Record<string, string>> = {}): Promise<string[]> {
  return (await doctor(extra)).findings.filter(({ state }) => state === 'fail').map(({ code }) => code);
}

async function living(): Promise<{ pid: number; startTime: string }> {
  child = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  return { pid: child.pid as number, startTime: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] as string };
}

describe('make doctor', () => {
  it('finds nothing wrong on a machine that is ready', async () => {
    const { findings } = await doctor();
    expect(findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['git', 'make', 'npm', 'node', 'packages', 'build', 'nats', 'home', 'disk', 'model.scripted', 'processes', 'port']));
    const { status, output } = await start({}, [], CHECKOUT);
    expect({ status, end: output.split('\n').at(-2) }).toEqual({ status: 0, end: 'Nothing stands in the way.' });
  });

  it('shows a person what is wrong, its code and its cure', async () => {
    const { status, output } = await start({ BULLPEN_PORT: 'abc' }, [], CHECKOUT);
    expect(status).toBe(1);
    expect(output).toContain('  FAIL  BULLPEN_PORT is not a port from 1 to 65535 (port.invalid)\n        cure: correct it\n');
    expect(output).toMatch(/\n1 to mend\.\n$/);
  });

  it('prints JSON for `make doctor JSON=1` too', async () => {
    const { output } = await start({ JSON: '1' }, [], CHECKOUT);
    expect(JSON.parse(output)).toMatchObject({ findings: expect.any(Array) as unknown });
  });

  it('works in a bare clone without any tool, and says how to get a NATS server there', async () => {
    const clone = join(home, 'clone');
    cpSync(join(CHECKOUT, 'tools'), join(clone, 'tools'), { recursive: true });
    const { findings } = await doctor({ PATH: home }, clone);
    const found = (code: string): Finding | undefined => findings.find((finding) => finding.code === code);
    for (const code of ['git.missing', 'make.missing', 'npm.missing', 'node.missing', 'packages.missing', 'nats.missing']) expect(found(code)?.state).toBe('fail');
    expect(found('nats.missing')?.cure).toMatch(/python3 with pip.*Go.*NATS_URL/);
    expect(found('build.missing')?.state).toBe('note');
    if (process.platform === 'linux') expect(found('bubblewrap.missing')?.state).toBe('note');
    cpSync(join(CHECKOUT, 'bullpen'), join(clone, 'bullpen'));
    const asked = spawnSync(join(clone, 'bullpen'), ['doctor', '--json'], { encoding: 'utf8' });
    expect({ status: asked.status, ok: (JSON.parse(asked.stdout) as { ok: boolean }).ok }).toEqual({ status: 1, ok: false });
    const other = spawnSync(join(clone, 'bullpen'), ['sessions', '--json'], { encoding: 'utf8' });
    expect({ status: other.status, problem: JSON.parse(other.stderr) as unknown }).toMatchObject({ status: 3, problem: { code: 'cli.not-built', exitCode: 3 } });
    const servers = await doctor({ PATH: home, NATS_URL: 'nats://127.0.0.1:1', DATABASE_URL: 'postgres://127.0.0.1:1/x' }, clone);
    expect(servers.findings.map(({ code }) => code)).toEqual(expect.arrayContaining(['nats.unchecked', 'database.unchecked']));
  });
});

describe('the data folder', () => {
  it('must be a folder', async () => {
    writeFileSync(join(home, 'file'), '');
    expect(await problems({ BULLPEN_HOME: join(home, 'file') })).toEqual(['home.not-a-folder']);
  });

  if (IS_ROOT) process.stderr.write('skipped: root may read and write everything, so a closed data folder is not tried\n');
  (IS_ROOT ? it.skip : it)('must be ours', async () => {
    writeFileSync(join(home, 'secrets.json'), '{}');
    chmodSync(join(home, 'secrets.json'), 0);
    expect(await problems()).toEqual(['home.foreign']);
    const closed = join(home, 'closed');
    mkdirSync(closed, { mode: 0o500 });
    expect(await problems({ BULLPEN_HOME: join(closed, 'data') })).toEqual(['home.not-writable']);
  });
});

describe('what runs', () => {
  it('is told from what a killed supervisor left', async () => {
    const { pid, startTime } = await living();
    write('run.json', { url: 'x', processes: { platform: { pid, startTime } } });
    expect((await doctor()).findings).toContainEqual({ code: 'processes.left', state: 'fail', what: expect.stringContaining('platform'), cure: expect.stringContaining('make down') });
    child?.kill('SIGKILL');
    write('run.json', {});
    write('supervisor.lock', { pid, startTime: '1' });
    const { status, findings } = await doctor();
    expect(status).toBe(0);
    expect(findings).toContainEqual(expect.objectContaining({ code: 'run.stale', state: 'note' }));
  });

  it('holds its port still when its supervisor was killed', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const left = await living();
    const given = { BULLPEN_PORT: String(port) };
    write('run.json', { url: `http://127.0.0.1:${port}`, processes: { platform: left } });
    expect(await problems(given)).toEqual(['processes.left']);
    write('run.json', { url: `http://127.0.0.1:${port}`, processes: { nats: left } });
    expect(await problems(given)).toEqual(['processes.left', 'port.taken']);
    write('run.json', { url: `http://127.0.0.1:${port - 1}`, processes: { platform: left } });
    expect(await problems(given)).toEqual(['processes.left', 'port.taken']);
    server.close();
  });

  it('must be ready', async () => {
    write('supervisor.lock', await living());
    write('run.json', { url: `http://127.0.0.1:${await freePort()}`, processes: {} });
    expect(await problems()).toEqual(['platform.not-ready']);
  });

  it('needs a port of its own', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await problems({ BULLPEN_PORT: String(port) })).toEqual(['port.taken']);
    server.close();
    expect(await problems({ BULLPEN_PORT: '0' })).toEqual(['port.invalid']);
  });
});

describe('servers of somebody else', () => {
  it('are told from addresses where none is', async () => {
    const nothing = await freePort();
    expect(await problems({ DATABASE_URL: 'nonsense', NATS_URL: 'http://x' })).toEqual(['nats.url', 'postgres.url']);
    expect(await problems({ DATABASE_URL: `postgres://u:s3cret@127.0.0.1:${nothing}/x`, NATS_URL: `nats://u:s3cret@127.0.0.1:${nothing}` })).toEqual(['log.unavailable', 'postgres.unreachable']);
  }, 60_000);

  it('must let us in with the rights we need, and are left as they are', async () => {
    const nats = await startTestNats();
    const postgres = await startTestPostgres();
    try {
      const passwords = Object.fromEntries(Object.entries(nats.passwords).map(([user, password]) => [user === 'admin' ? 'NATS_ADMIN_PASSWORD' : `${user.toUpperCase()}_NATS_PASSWORD`, password]));
      const given = { NATS_URL: nats.url, DATABASE_URL: postgres.url };
      const { findings } = await doctor({ ...given, ...passwords });
      expect(findings.map(({ code, state }) => `${code} ${state}`)).toEqual(expect.arrayContaining(['nats ok', 'nats.durability note', 'database ok']));
      expect(await problems({ ...given, ...passwords, GATEWAY_NATS_PASSWORD: 'wrong' })).toEqual(['log.not-authorized']);
      expect(await problems({ ...given, ...passwords, DATABASE_URL: postgres.url.replace(/\/[^/]*$/, '/missing') })).toEqual(['postgres.database']);
    } finally {
      await Promise.all([nats.stop(), postgres.stop()]);
    }
  }, 120_000);
});

it('is what `make doctor` runs', () => {
  expect(execFileSync('make', ['-n', 'doctor'], { cwd: CHECKOUT, encoding: 'utf8' })).toContain('tools/doctor.mjs');
});
