import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';

import { ID, OTHER_ID, Platform } from '../../test/platform.harness.js';
import { SHELLS } from './completion.js';

/** Goal: each shell takes the script and completes from it. Method: the shell itself; one that this machine lacks is skipped, and said. */
let folder: string;
let platform: Platform;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bullpen-completion-'));
  // Stands for the program that the script asks.
  const asked = `#!/bin/sh
printf '%s\\tabout it\\n' "live-$2"
[ "$2" = sessions ] || printf '%s\\t\\n' 'odd one' 'odd$(touch ran)'
`;
  writeFileSync(join(folder, 'bullpen'), asked, { mode: 0o755 });
  platform = await Platform.start();
  for (const shell of SHELLS) writeFileSync(join(folder, shell), (await platform.cli(['completion', shell])).stdout);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await platform?.remove();
});

const isThere = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** What the shell offers behind `words`, the last of which is being typed. */
const OFFERED: Readonly<Record<(typeof SHELLS)[number], (words: readonly string[]) => string>> = {
  bash: (words) => run('bash', `. ./bash; COMP_WORDS=(./bullpen ${words.map(quoted).join(' ')}); COMP_CWORD=${words.length}; _bullpen; printf '%s\\n' "\${COMPREPLY[@]}"`),
  zsh: (words) =>
    run(
      'zsh',
      // The completion system itself needs a terminal: what the function hands to it is printed instead.
      `compdef() { : }; _files() { : }; compadd() { while [[ $1 == -* ]]; do case $1 in -a) print -l -- \${(P)2}; return ;; -d) shift 2 ;; --) shift; break ;; *) shift ;; esac; done; print -l -- "$@" }
      . ./zsh; words=(./bullpen ${words.map(quoted).join(' ')}); CURRENT=${words.length + 1}; _bullpen`,
    ),
  fish: (words) => run('fish', `source ./fish; complete -C ${quoted(['./bullpen', ...words].join(' '))}`),
};

const quoted = (text: string): string => `'${text}'`;

function run(shell: string, script: string): string {
  return execFileSync(shell, [shell === 'bash' ? '--norc' : shell === 'zsh' ? '-f' : '-N', '-c', script], { cwd: folder, encoding: 'utf8' });
}

/** Without descriptions; zsh offers all and leaves the choice to its completion system. */
function offered(shell: (typeof SHELLS)[number], words: readonly string[]): string[] {
  const typed = words.at(-1) ?? '';
  const lines = OFFERED[shell](words).split('\n').map((line) => line.replace(/\t.*/, ''));
  return lines.filter((line) => line !== '' && line.startsWith(typed)).toSorted();
}

for (const shell of SHELLS) {
  const present = isThere(shell);
  if (!present) process.stderr.write(`skipped: ${shell} is not installed, so its completion is not tried\n`);
  (present ? describe : describe.skip)(`completion in ${shell}`, () => {
    it('is a script without a mistake', () => {
      expect(spawnSync(shell, ['-n', shell], { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    });

    it('completes commands, subcommands, options and their values', () => {
      expect(offered(shell, ['arch'])).toEqual(['archive']);
      expect(offered(shell, ['--url', 'http://x', 'arch'])).toEqual(['archive']);
      expect(offered(shell, ['repos', ''])).toEqual(['add', 'remove']);
      expect(offered(shell, ['repos', 'add', '--n'])).toEqual(['--name']);
      expect(offered(shell, ['sessions', '--st'])).toEqual(['--status']);
      expect(offered(shell, ['sessions', '--status', 'arch'])).toEqual(['archived']);
      expect(offered(shell, ['completion', 'fi'])).toEqual(['fish']);
      expect(offered(shell, ['cancel', ID, '--js'])).toEqual(['--json']);
    });

    it('asks the platform for sessions and repositories, and for nothing else', () => {
      expect(offered(shell, ['attach', ''])).toEqual(['last', 'live-sessions']);
      expect(offered(shell, ['--json', 'diff', 'li'])).toEqual(['live-sessions']);
      expect(offered(shell, ['run', '--repo', 'li'])).toEqual(['live-repositories']);
      expect(offered(shell, ['repos', 'remove', 'li'])).toEqual(['live-repositories']);
      expect(offered(shell, ['rename', ID, 'li'])).toEqual([]);
    });

    it('offers a name as one word, and runs nothing that it holds', () => {
      const names = ['odd one', 'odd$(touch ran)'];
      // The others quote what they put into the line by themselves.
      const words = shell === 'bash' ? names.map((name) => name.replaceAll(/[ $()]/g, String.raw`\$&`)) : names;
      expect(offered(shell, ['run', '--repo', 'odd'])).toEqual(words.toSorted());
      expect(existsSync(join(folder, 'ran'))).toBe(false);
    });
  });
}

describe('bullpen complete', () => {
  let small: Platform;
  beforeEach(async () => {
    small = await Platform.start();
  });
  afterEach(() => small.remove());

  it('names sessions and repositories, each with what it is', async () => {
    small.create();
    expect((await small.cli(['complete', 'sessions'])).stdout).toBe(`${ID}\tidle: T\n${OTHER_ID}\tidle: T\n`);
    expect((await small.cli(['complete', 'repositories'])).stdout).toBe('sample\t/s\n');
  });

  it('is silent without a platform, and does not wait for one', async () => {
    await small.stop();
    const before = Date.now();
    expect(await small.cli(['complete', 'sessions'])).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(small.requests).toEqual([]);
    expect(Date.now() - before).toBeLessThan(5_000);
  });
});
