import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';

import { startScriptedModel } from '@bullpen/scripted-model';

import { TestPlatform } from './platform.harness.js';
import { processesWithCommand } from './processes.harness.js';
import { Watcher } from './watcher.harness.js';

/** Goal: what a sandbox cannot reach, and where a key never shows up. Method: the agent itself is told to look. */
const CANARY = 'sk-canary-0123456789abcdef';
let platform: TestPlatform;
let model: Awaited<ReturnType<typeof startScriptedModel>>;
const keysSeen: string[] = [];

beforeAll(async () => {
  model = await startScriptedModel({ port: 0, onRequest: (request) => void keysSeen.push(String(request.headers['x-api-key'])) });
  platform = await TestPlatform.start({ ANTHROPIC_API_KEY: CANARY, ANTHROPIC_BASE_URL: `http://127.0.0.1:${model.port}` });
}, 90_000);
afterEach(() => Watcher.closeAll());
afterAll(async () => {
  await platform?.remove();
  await model?.close();
}, 60_000);

/** Runs one shell command inside a new session's sandbox; what it printed. */
async function inSandbox(command: string): Promise<string> {
  const id = await platform.createSession(`run: ${command}`);
  const watcher = Watcher.follow(platform, id);
  await watcher.sees('TurnEnded');
  const completed = await watcher.sees('ToolCallCompleted');
  watcher.close();
  return JSON.stringify(completed.data['output']);
}

describe('from inside a sandbox', () => {
  it("cannot read the platform's folder, another workspace or the host's home", async () => {
    await inSandbox('echo mine > /workspace/private.txt');
    const output = await inSandbox(
      `ls ${platform.home} && echo BREACH1; cat ${platform.home}/token && echo BREACH2; ls ${platform.home}/sign-in-codes && echo BREACH5; ` +
        'find / -name private.txt 2>/dev/null | grep . && echo BREACH3; ' +
        'ls /root /home/* 2>/dev/null | grep -q . && ls /root && echo BREACH4; id -u; grep CapEff /proc/self/status',
    );
    expect(output).not.toMatch(/BREACH/);
    expect(output).toMatch(/1000/);
    expect(output).toMatch(/CapEff:\\t0000000000000000/);
  }, 60_000);

  it('cannot use NATS or Postgres without the credentials it does not have', async () => {
    const { ports } = platform.runFile;
    const script =
      `const net=require("net");const s=net.connect(${ports['nats']},"127.0.0.1");` +
      's.on("data",d=>{process.stdout.write(d);if(/INFO/.test(d))s.write("CONNECT {\\"verbose\\":true}\\r\\nPUB evt.00.session.x.core 1\\r\\nx\\r\\n")});setTimeout(()=>process.exit(),1500)';
    const nats = await inSandbox(`echo '${Buffer.from(script).toString('base64')}' | base64 -d > /tmp/n.js; node /tmp/n.js`);
    expect(nats).toMatch(/auth_required/);
    expect(nats).toMatch(/Authorization Violation/i);

    const startup = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from('user\0postgres\0database\0postgres\0\0')]);
    const length = Buffer.alloc(4);
    length.writeInt32BE(startup.length + 4);
    const hello = Buffer.concat([length, startup]).toString('base64');
    const pg =
      `const net=require("net");const s=net.connect(${ports['postgres']},"127.0.0.1");s.write(Buffer.from("${hello}","base64"));` +
      's.on("data",d=>{console.log("ANSWER",String.fromCharCode(d[0]),d.readInt32BE(5))});setTimeout(()=>process.exit(),1500)';
    const postgres = await inSandbox(`echo '${Buffer.from(pg).toString('base64')}' | base64 -d > /tmp/p.js; node /tmp/p.js`);
    // R 10: the server wants SASL; never R 0, "authenticated".
    expect(postgres).toMatch(/ANSWER R 10/);
  }, 60_000);

  it('sees no process of the host', async () => {
    const output = await inSandbox('cat /proc/[0-9]*/cmdline | tr "\\0" " "');
    expect(output).not.toMatch(/nats-server|postgres|supervisor/);
  }, 60_000);
});

describe('the model key', () => {
  it('reaches the model, and no event, log, file or process argument, even when the agent prints it', async () => {
    const id = await platform.createSession('run: env; sleep 1\nsay: bye');
    const watcher = Watcher.follow(platform, id);
    await watcher.sees('ToolCallStarted');
    expect(processesWithCommand(CANARY)).toEqual([]);
    await watcher.sees('TurnEnded');
    watcher.close();
    expect(keysSeen).toContain(CANARY);
    expect(JSON.stringify(watcher.events)).not.toContain(CANARY);
    expect(platform.output).not.toContain(CANARY);
    expect(filesHolding(CANARY, platform.home)).toEqual([]);
    const { body } = await platform.api<unknown>('GET', `/sessions/${id}`);
    expect(JSON.stringify(body)).not.toContain(CANARY);
    expect(JSON.stringify(body)).not.toContain('Scripted model');
  }, 60_000);
});

describe("the platform's folder", () => {
  it('is readable by its owner only', () => {
    expect(statSync(platform.home).mode & 0o077).toBe(0);
    for (const file of ['token', 'run.json', 'secrets.json']) expect(statSync(join(platform.home, file)).mode & 0o077).toBe(0);
  });
});

function filesHolding(text: string, folder: string): string[] {
  expect(readdirSync(folder).length).toBeGreaterThan(0);
  expect(readFileSync(join(folder, 'token'), 'utf8')).not.toBe('');
  try {
    return execFileSync('grep', ['-rlaF', '--', text, folder], { encoding: 'utf8' }).split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
