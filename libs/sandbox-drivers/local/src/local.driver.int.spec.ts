import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ObservedSandbox, SandboxSpec } from '@bullpen/sandbox-driver';
import { sandboxDriverContract, testSandboxSpec } from '@bullpen/sandbox-driver/contract';
import { silentLogger } from '@bullpen/telemetry';

import type { LocalDriver } from './local.driver.js';
import { createLocalDriver } from './local.driver.js';
import { processesOf } from './processes.js';

const runnerFile = fileURLToPath(new URL('test-runner.mjs', import.meta.url));
const session = '00local0000000000000000000';
const signal = new AbortController().signal;

function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'bullpen-local-'));
}

function makeDriver(folder: string, isolation: 'auto' | 'none'): LocalDriver {
  return createLocalDriver({
    folder,
    runnerFile,
    nodeBinary: process.execPath,
    agentsFolder: folder,
    isolation,
    logger: silentLogger,
  });
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Arguments of every process of the machine. */
function allArguments(): string {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const read = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    } catch {
      return '';
    }
  };
  return pids.map(read).join('\n');
}

for (const isolation of ['auto', 'none'] as const) {
  sandboxDriverContract(`local, isolation ${isolation}`, async () => {
    const folder = makeFolder();
    const driver = makeDriver(folder, isolation);
    return {
      driver,
      starts: async (id) => {
        const counters = filesBelow(folder).filter((path) => path.endsWith(`/starts-${id}`));
        return counters.reduce((sum, path) => sum + statSync(path).size, 0);
      },
      isAlive: async (id) => ((await processesOf(id)) ?? []).length > 0,
      visibleText: async (id) =>
        allArguments() +
        filesBelow(join(folder, id))
          .map((path) => readFileSync(path, 'utf8'))
          .join('\n'),
      close: async () => rmSync(folder, { recursive: true, force: true }),
    };
  });
}

function specOf(generation: number, behaviour: string, more: Partial<SandboxSpec> = {}): SandboxSpec {
  return testSandboxSpec({ sessionId: session, generation, behaviour, ...more });
}

async function observedOf(driver: LocalDriver, id: string): Promise<ObservedSandbox | undefined> {
  const abort = new AbortController();
  for await (const observation of driver.observe(abort.signal)) {
    abort.abort();
    if (observation.kind === 'resync') return observation.sandboxes.find((sandbox) => sandbox.id === id);
  }
  return undefined;
}

async function until<T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let round = 0; round < 400; round += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(25);
  }
  throw new Error('waited in vain');
}

function untilPhase(driver: LocalDriver, id: string, phase: ObservedSandbox['phase']): Promise<ObservedSandbox> {
  return until(async () => {
    const observed = await observedOf(driver, id);
    return observed?.phase === phase ? observed : undefined;
  });
}

for (const isolation of ['auto', 'none'] as const) {
  describe(`local driver, isolation ${isolation}`, () => {
    const id = `${session}-1`;
    let folder = '';
    let driver: LocalDriver;
    const workspaceFile = (name: string, sandboxId = id) => join(folder, sandboxId, 'workspace', name);

    beforeEach(() => {
      folder = makeFolder();
      driver = makeDriver(folder, isolation);
    });
    afterEach(async () => {
      for (const name of [1, 2].map((generation) => `${session}-${generation}`))
        await driver.remove(name, { keepWorkspace: false }, signal);
      rmSync(folder, { recursive: true, force: true });
    });

    it('leaves no orphan, not even in a session of its own', async () => {
      await driver.apply(id, specOf(1, 'children'), signal);
      await until(() => (existsSync(workspaceFile('ready')) ? true : undefined));
      expect((await processesOf(id))?.length).toBeGreaterThanOrEqual(4);
      await driver.remove(id, { keepWorkspace: false }, signal);
      expect(await processesOf(id)).toEqual([]);
      expect(existsSync(join(folder, id))).toBe(false);
    });

    it('is found again by another driver, running or ended meanwhile', async () => {
      await driver.apply(id, specOf(1, 'stays'), signal);
      await driver.apply(`${session}-2`, specOf(2, 'sleep 0.3; exit 5'), signal);
      await sleep(600);
      const adopting = makeDriver(folder, isolation);
      expect(await untilPhase(adopting, id, 'running')).toMatchObject({ exitCode: null });
      expect(await untilPhase(adopting, `${session}-2`, 'exited')).toMatchObject({ exitCode: 9, signal: null });
      await adopting.apply(id, specOf(1, 'stays'), signal);
      expect(statSync(join(folder, id, 'home', `starts-${id}`)).size).toBe(1);
    });

    it('sees within a second that a runner was killed', async () => {
      await driver.apply(id, specOf(1, 'stays'), signal);
      await untilPhase(driver, id, 'running');
      await until(() => (existsSync(join(folder, id, 'home', `starts-${id}`)) ? true : undefined));
      const isNode = (pid: number) => /^(node|MainThread)$/m.test(readFileSync(`/proc/${pid}/comm`, 'utf8'));
      const runner = ((await processesOf(id)) ?? []).filter(isNode);
      const before = Date.now();
      for (const pid of runner) process.kill(pid, 'SIGKILL');
      expect(runner.length).toBe(1);
      expect(await untilPhase(driver, id, 'exited')).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
      expect(Date.now() - before).toBeLessThan(1_000);
    });

    it('sees that everything was killed at once, though nobody wrote an exit status', async () => {
      await driver.apply(id, specOf(1, 'stays'), signal);
      for (const pid of (await processesOf(id)) ?? []) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Ended with another of them.
        }
      }
      expect(await untilPhase(driver, id, 'exited')).toMatchObject({ exitCode: null, signal: 'SIGKILL' });
    });

    it('hands the workspace and home on to the next generation', async () => {
      await driver.apply(id, specOf(1, 'echo kept > "$HOME/note"; cp "$HOME/note" .; pwd'), signal);
      await untilPhase(driver, id, 'exited');
      writeFileSync(workspaceFile('work.txt'), 'of the agent');
      await driver.remove(id, { keepWorkspace: true }, signal);
      expect(await observedOf(driver, id)).toBeUndefined();
      await driver.apply(`${session}-2`, specOf(2, 'cat "$HOME/note"', { takeOver: id }), signal);
      await untilPhase(driver, `${session}-2`, 'exited');
      expect(readFileSync(workspaceFile('work.txt', `${session}-2`), 'utf8')).toBe('of the agent');
      expect(readFileSync(workspaceFile('output', `${session}-2`), 'utf8')).toBe('kept\n');
    });

    it('gives a sandbox only the allowed environment', async () => {
      process.env['PLATFORM_PASSWORD'] = 'not-for-sandboxes';
      await driver.apply(id, specOf(1, 'environment', { secrets: { ANTHROPIC_API_KEY: 'sk-test' } }), signal);
      delete process.env['PLATFORM_PASSWORD'];
      await untilPhase(driver, id, 'exited');
      const environment = JSON.parse(readFileSync(workspaceFile('environment.json'), 'utf8')) as Record<string, string>;
      expect(environment).toMatchObject({ ANTHROPIC_API_KEY: 'sk-test', BULLPEN_SANDBOX_ID: id });
      const allowed =
        /^(PATH|HOME|USER|SHELL|PWD|OLDPWD|SHLVL|_|LANG|LC_ALL|TZ|https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|BULLPEN_(AGENTS|RUNNER_SPEC|SANDBOX_ID)|ANTHROPIC_API_KEY)$/;
      expect(Object.keys(environment).filter((name) => !allowed.test(name))).toEqual([]);
    });

    it('has a line in the log while the sandbox runs', async () => {
      await driver.apply(id, specOf(1, 'speaks-and-stays'), signal);
      await until(() => (existsSync(join(folder, id, 'log.0')) ? true : undefined));
      expect(readFileSync(join(folder, id, 'log.0'), 'utf8')).toBe('a line\n');
      await untilPhase(driver, id, 'running');
    });

    it('keeps the log within its bound, and its last lines', async () => {
      await driver.apply(id, specOf(1, 'floods'), signal);
      await untilPhase(driver, id, 'exited');
      await until(async () => ((await observedOf(driver, id))?.logTail.includes('line 39999') ? true : undefined));
      const bytes = ['log.0', 'log.1'].reduce((sum, name) => sum + statSync(join(folder, id, name)).size, 0);
      expect(bytes).toBeLessThanOrEqual(2 * 512 * 1024);
    });

    it('keeps the log within its bound when it is one line', async () => {
      await driver.apply(id, specOf(1, 'floods-one-line'), signal);
      await untilPhase(driver, id, 'exited');
      await until(() => (readdirSync(join(folder, id)).some((name) => name.startsWith('log.')) ? true : undefined));
      await until(async () => ((await observedOf(driver, id))?.logTail.endsWith('yyy') ? true : undefined));
      const logs = readdirSync(join(folder, id)).filter((name) => name.startsWith('log.'));
      expect(logs.reduce((sum, name) => sum + statSync(join(folder, id, name)).size, 0)).toBeLessThanOrEqual(2 * 512 * 1024);
    });

    it('says so when a sandbox cannot be made, and makes it when tried again', async () => {
      writeFileSync(join(folder, id), 'in the way');
      await expect(driver.apply(id, specOf(1, 'stays'), signal)).rejects.toMatchObject({ code: 'sandbox.apply-failed' });
      rmSync(join(folder, id));
      await driver.apply(id, specOf(1, 'stays'), signal);
      await untilPhase(driver, id, 'running');
    });

    it('runs in a session of its own, so that it outlives the process that made it', async () => {
      await driver.apply(id, specOf(1, 'stays'), signal);
      const wrapper = Number.parseInt(readFileSync(join(folder, id, 'process'), 'utf8'), 10);
      const sessionOf = (pid: number | string) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
      expect(sessionOf(wrapper)).toBe(String(wrapper));
      expect(sessionOf('self')).not.toBe(String(wrapper));
    });
  });
}

describe('local driver: what bubblewrap keeps apart', () => {
  const id = `${session}-1`;
  let folder = '';
  let driver: LocalDriver;

  beforeEach(() => {
    folder = makeFolder();
    driver = makeDriver(join(folder, 'sandboxes'), 'auto');
    expect(driver.isolation).toBe('bubblewrap');
    expect(driver.warning).toBeNull();
  });
  afterEach(async () => {
    await driver.remove(id, { keepWorkspace: false }, signal);
    rmSync(folder, { recursive: true, force: true });
  });

  async function inside(script: string, more: Partial<SandboxSpec> = {}): Promise<string> {
    await driver.apply(id, specOf(1, script, more), signal);
    const observed = await untilPhase(driver, id, 'exited');
    const output = readFileSync(join(folder, 'sandboxes', id, 'workspace', 'output'), 'utf8');
    return observed.exitCode === 0 ? output : `exit ${observed.exitCode}: ${output} ${observed.logTail}`;
  }

  it('runs as user 1000 without any capability', async () => {
    const output = await inside('id -u; id -g; grep ^Cap /proc/self/status | cut -f2 | sort -u');
    expect(output).toBe('1000\n1000\n0000000000000000\n');
  });

  it('lets it change no setting of the kernel, not even from namespaces of its own', async () => {
    const setting = '/proc/sys/kernel/core_pattern';
    const before = readFileSync(setting, 'utf8');
    // Appending nothing is enough to know: opening for writing is what must fail.
    const tryIt = `for name in sys/kernel/core_pattern sys/vm/drop_caches sys/kernel/sysrq sysrq-trigger; do [ -e $at/$name ] && (: >> $at/$name) 2> /dev/null && echo "opened $at/$name"; done`;
    const nested = `at=/proc; umount /proc/sys; mount -o remount,rw,bind /proc/sys; mkdir -p /tmp/p; mount -t proc proc /tmp/p; ${tryIt}; at=/tmp/p; ${tryIt}`;
    const script = `at=/proc; ${tryIt}; unshare -Urmp --fork sh -c '${nested}' 2> /dev/null; head -c 1 /proc/kcore | wc -c; true`;
    expect(await inside(script)).toBe('0\n');
    expect(readFileSync(setting, 'utf8')).toBe(before);
  });

  (process.getuid?.() === 0 ? it : it.skip)('lets it reach no control group of the host when root runs it', async () => {
    const script = `unshare -UrmC sh -c 'mount -t cgroup2 none /tmp && test -w /tmp/cgroup.procs && echo reached' 2> /dev/null; echo tried`;
    expect(await inside(script)).toBe('tried\n');
  });

  it('hides the processes of the host', async () => {
    const other = spawn('sleep', ['300'], { env: { ...process.env, HOST_MARK: 'yes' } });
    const output = await inside(
      `ls -d /proc/[0-9]* | wc -l; test -e /proc/${other.pid} && tr '\\0' '\\n' < /proc/${other.pid}/environ | grep -c HOST_MARK; true`,
    );
    other.kill();
    const [count] = output.split('\n');
    expect(Number(count)).toBeLessThan(10);
    expect(output).not.toContain('\n1\n');
  });

  it('shows nothing of the platform, of other sandboxes and of the host home', async () => {
    writeFileSync(join(folder, 'token'), 'platform-token', { mode: 0o600 });
    const otherWorkspace = join(folder, 'sandboxes', `${session}-9`, 'workspace');
    mkdirSync(otherWorkspace, { recursive: true });
    writeFileSync(join(otherWorkspace, 'secret.txt'), 'of another');
    const paths = [
      join(folder, 'token'),
      join(otherWorkspace, 'secret.txt'),
      folder,
      homedir(),
      '/etc/shadow',
      '/etc/ssl/private',
      '/root',
      '/var/lib',
      '/run/user',
    ];
    const output = await inside(paths.map((path) => `cat '${path}' 2>/dev/null; ls '${path}' 2>/dev/null`).join('; ') + '; true');
    expect(output).toBe('');
  });

  it('lets it write only where it may', async () => {
    const places = ['/usr/x', '/etc/x', '/opt/bullpen/x', '/opt/bullpen/test-runner.mjs', '/run/bullpen/spec.json', '/source/x'];
    const source = makeRepository(join(folder, 'source'));
    const tries = places.map((path) => `(echo x >> ${path}) 2>/dev/null && echo wrote ${path}`);
    const allowed = ['/workspace/x', '/home/sandbox/x', '/spool/x', '/tmp/x'].map(
      (path) => `echo x > ${path} || echo cannot ${path}`,
    );
    expect(await inside([...tries, ...allowed].join('; ') + '; true', { sourcePath: source })).toBe('');
  });

  it('shows of a local source what a clone needs, without its configuration and uncommitted files', async () => {
    const source = makeRepository(join(folder, 'source'));
    writeFileSync(join(source, '.env'), 'PASSWORD=1');
    execFileSync('git', ['-C', source, 'config', 'remote.origin.url', 'https://user:canary@example.com/x']);
    const script =
      'git -c safe.directory=/source clone -q --no-hardlinks /source /tmp/c && cat /tmp/c/a.txt; ls -A /source | grep -c env; grep -r canary /source | wc -l; true';
    expect(await inside(script, { sourcePath: source })).toBe('hello\n0\n0\n');
  });

  it('shows nothing but what is cloned, wherever the source leads', async () => {
    const source = makeRepository(join(folder, 'source'));
    const secrets = join(folder, 'secrets');
    for (const place of [join(source, '.git', 'modules', 'x'), join(source, '.git', 'hooks'), secrets]) {
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'config'), 'canary');
    }
    writeFileSync(join(source, '.git', 'credentials'), 'canary');
    symlinkSync(join(secrets, 'config'), join(source, '.git', 'shallow'));
    const borrowed = makeRepository(join(folder, 'borrowed'));
    writeFileSync(join(source, '.git', 'objects', 'info', 'alternates'), `${secrets}\n${join(borrowed, '.git', 'objects')}\n`);
    const lent = join(borrowed, '.git', 'objects');
    const script = `ls -A /source; grep -r canary /source | wc -l; ls ${secrets} 2>/dev/null; ls -d ${lent} | wc -l; true`;
    expect(await inside(script, { sourcePath: source })).toBe('HEAD\nconfig\nobjects\nrefs\n0\n1\n');
  });

  it('shows no other folder when the source points at one', async () => {
    const secrets = join(folder, 'secrets');
    mkdirSync(secrets);
    writeFileSync(join(secrets, 'canary'), 'canary');
    const source = join(folder, 'pointer');
    mkdirSync(source);
    writeFileSync(join(source, '.git'), `gitdir: ${secrets}\n`);
    expect(await inside('ls -A /source', { sourcePath: source })).toBe('config\n');
  });

  it('lets it clone from a bare mirror, and see no other mirror beside it', async () => {
    const mirror = join(folder, 'mirrors', 'repo.source.git');
    execFileSync('git', ['clone', '-q', '--bare', makeRepository(join(folder, 'source')), mirror]);
    execFileSync('git', ['-C', mirror, 'config', 'remote.origin.url', 'https://user:canary@example.com/x']);
    mkdirSync(join(folder, 'mirrors', 'repo.git'));
    const script = [
      "git clone -q --no-hardlinks --upload-pack='git -c safe.directory=* upload-pack' /source /tmp/c && cat /tmp/c/a.txt",
      `grep -r canary /source | wc -l; ls ${join(folder, 'mirrors')} 2>/dev/null; true`,
    ].join('; ');
    expect(await inside(script, { sourcePath: mirror })).toBe('hello\n0\n');
  });

  it('gives the checkpoint and the transcript as files', async () => {
    const checkpoint = { sha: 'a'.repeat(40), base: 'b'.repeat(40), bundle: Buffer.from('bundle') };
    const script = `node -e 'const fs=require("fs"),s=JSON.parse(fs.readFileSync(process.env.BULLPEN_RUNNER_SPEC));console.log(fs.readFileSync(s.checkpoint.bundlePath,"utf8"),fs.readFileSync(s.transcriptPath,"utf8"))'`;
    expect(await inside(script, { checkpoint, transcript: 'so far' })).toBe('bundle so far\n');
  });

  it('ends also what took the sandbox id out of its environment', async () => {
    const hide = `const fs = require("fs"), cp = require("child_process");
      cp.spawn("setsid", ["sleep", "600"], { detached: true, stdio: "ignore", env: {} });
      for (const pid of fs.readdirSync("/proc").filter((name) => /^[0-9]+$/.test(name))) {
        const fields = fs.readFileSync("/proc/" + pid + "/stat", "latin1").split(") ").at(-1).split(" ");
        const [start, end] = [Number(fields[47]), Number(fields[48])];
        try { fs.writeSync(fs.openSync("/proc/" + pid + "/mem", "r+"), Buffer.alloc(end - start), 0, end - start, start); } catch {}
      }
      const left = fs.readdirSync("/proc").filter((name) => { try { return fs.readFileSync("/proc/" + name + "/environ", "latin1").includes("SANDBOX_ID"); } catch { return false; } });
      fs.writeFileSync("/workspace/hidden", String(left.length)); setInterval(() => 0, 1000);`;
    await driver.apply(id, specOf(1, `node -e '${hide}'`), signal);
    const report = join(folder, 'sandboxes', id, 'workspace', 'hidden');
    expect(await until(() => (existsSync(report) ? readFileSync(report, 'utf8') : undefined))).toBe('0');
    const { 'child-pid': first } = JSON.parse(readFileSync(join(folder, 'sandboxes', id, 'info'), 'utf8')) as { 'child-pid': number };
    await driver.remove(id, { keepWorkspace: false }, signal);
    const stat = existsSync(`/proc/${first}/stat`) ? readFileSync(`/proc/${first}/stat`, 'utf8') : ') Z';
    expect(stat).toContain(') Z');
  });

  it('resolves names and knows certificates', async () => {
    expect(await inside('getent hosts localhost > /dev/null && test -s /etc/ssl/certs/ca-certificates.crt && whoami')).toBe(
      'sandbox\n',
    );
  });
});

function makeRepository(folder: string): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', folder, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
  mkdirSync(folder, { recursive: true });
  git('init', '-q');
  writeFileSync(join(folder, 'a.txt'), 'hello\n');
  git('add', '.');
  git('commit', '-qm', 'first');
  return folder;
}
