import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const CHECKOUT = join(import.meta.dirname, '..');

let home: string;
let children: ReturnType<typeof spawn>[];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'bullpen-tools-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

const write = (name: string, value: unknown): void => writeFileSync(join(home, name), JSON.stringify(value));

/** Without what only a built checkout has: plain Node, from another folder. */
function tool(name: string, args: readonly string[] = [], extra: Readonly<Record<string, string>> = {}): { status: number | null; output: string } {
  const env = { PATH: process.env['PATH'], BULLPEN_HOME: home, ...extra };
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(CHECKOUT, 'tools', name), ...args], { cwd: tmpdir(), env, encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

async function living(variables: Readonly<Record<string, string>> = {}): Promise<{ pid: number; startTime: string; exited: Promise<unknown> }> {
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: { PATH: process.env['PATH'], ...variables } });
  children.push(child);
  await once(child, 'spawn');
  const stat = readFileSync(`/proc/${child.pid}/stat`, 'utf8');
  return { pid: child.pid as number, startTime: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] as string, exited: once(child, 'exit') };
}

describe('refuse-while-running', () => {
  it('names the supervisor that runs, its address, and the way out', async () => {
    const { pid, startTime } = await living();
    write('supervisor.lock', { pid, startTime });
    write('run.json', { url: 'http://127.0.0.1:4801', processes: {} });
    const refused = tool('refuse-while-running.mjs', ['make clean']);
    expect(refused.status).toBe(1);
    expect(refused.output).toMatch(new RegExp(`http://127.0.0.1:4801 \\(process ${pid}\\)\\. make clean would break it.*make down`));
  });

  it('passes with a lock of a dead process, of another with its pid, and with none', async () => {
    expect(tool('refuse-while-running.mjs').status).toBe(0);
    write('supervisor.lock', { pid: (await living()).pid, startTime: '1' });
    expect(tool('refuse-while-running.mjs').status).toBe(0);
  });

  it('stands before what make clean and make reset remove', () => {
    for (const target of ['clean', 'reset']) {
      const recipe = execFileSync('make', ['-n', target], { cwd: CHECKOUT, encoding: 'utf8' }).trim().split('\n');
      expect(recipe[0]).toContain('refuse-while-running.mjs');
    }
  });
});

describe('down, unbuilt', () => {
  it('ends the supervisor', async () => {
    const { pid, startTime, exited } = await living();
    write('supervisor.lock', { pid, startTime });
    expect(tool('down.mjs')).toEqual({ status: 0, output: 'Bullpen is stopped.\n' });
    await exited;
  });

  it('ends what a killed supervisor left, sandboxes too, and then finds nothing', async () => {
    const [nats, sandbox] = [await living(), await living({ BULLPEN_SANDBOX_ID: 'session-1' })];
    mkdirSync(join(home, 'sandboxes', 'session-1'), { recursive: true });
    write('run.json', { url: 'x', processes: { nats: { pid: nats.pid, startTime: nats.startTime } } });
    expect(tool('down.mjs')).toEqual({ status: 0, output: 'Ended what a killed supervisor had left: nats, 1 sandbox processes.\n' });
    await Promise.all([nats.exited, sandbox.exited]);
    expect(tool('down.mjs').output).toBe('Nothing runs.\n');
  });
});

describe('reset', () => {
  it('removes nothing that was not confirmed, and nothing that is no home', () => {
    expect(tool('reset.mjs', [], { FORCE: '1' })).toMatchObject({ status: 1, output: expect.stringContaining('reset.not-a-home') as unknown });
    write('run.json', {});
    expect(tool('reset.mjs')).toMatchObject({ status: 1, output: expect.stringContaining('FORCE=1') as unknown });
    expect(existsSync(home)).toBe(true);
  });

  it('removes the home when forced', () => {
    write('run.json', {});
    expect(tool('reset.mjs', [], { FORCE: '1' }).status).toBe(0);
    expect(existsSync(home)).toBe(false);
  });
});
