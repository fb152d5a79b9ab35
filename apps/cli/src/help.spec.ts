import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { EXIT, EXIT_MEANINGS } from './exit-codes.js';
import type { CliHost } from './host.js';
import { HELP_TOPICS } from './help-topics.js';
import { runCli } from './program.js';

const README = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

async function help(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const host: CliHost = {
    environment: {},
    cwd: '/',
    checkout: '/',
    stdout: { write: (text) => (stdout += String(text)) },
    stderr: { write: (text) => (stderr += String(text)) },
    readStdin: () => Promise.resolve(''),
    onInterrupt: () => () => undefined,
  };
  return { code: await runCli(args, host), stdout, stderr };
}

describe('bullpen help', () => {
  it('has every exit code, and so has the README', async () => {
    const { code, stdout } = await help('help', 'exit-codes');
    expect(code).toBe(0);
    for (const [name, meaning] of Object.entries(EXIT_MEANINGS)) {
      const number = EXIT[name as keyof typeof EXIT];
      expect(stdout).toContain(`${String(number).padStart(5)}  ${meaning}\n`);
      expect(README).toContain(`| ${number} | ${meaning.replace('|', '\\|')} |`);
    }
  });

  it('is the same as --help, also of a subcommand, and lists the topics', async () => {
    for (const command of [['run'], ['repos', 'add'], []]) {
      expect(await help('help', ...command)).toEqual({ ...(await help(...command, '--help')), stderr: '' });
    }
    for (const topic of Object.keys(HELP_TOPICS)) expect((await help('help')).stdout).toContain(topic);
  });

  it('says so when there is none', async () => {
    expect(await help('help', 'nope')).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('There is no help on "nope"') as unknown });
  });

  it('says of --json what every command prints', async () => {
    const { stdout } = await help('help', 'json');
    const commands = (await help('--help')).stdout.match(/^ {2}[a-z]+(?= )/gm) ?? [];
    const left = commands.map((line) => line.trim()).filter((name) => !['make', 'help'].includes(name) && !new RegExp(`\\b${name}\\b`).test(stdout));
    expect({ commands: commands.length > 14, left }).toEqual({ commands: true, left: [] });
  });
});
