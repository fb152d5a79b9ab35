import type { Command } from 'commander';

import { Rejection } from '@bullpen/errors';

import { bashScript, zshScript } from './bourne-shells.js';
import { commandShapes } from './command-shapes.js';
import { fishScript } from './fish-shell.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/**
 * A script for the shell, made from the commands there are. It completes commands, options and their values by itself, and asks
 * `bullpen complete` for sessions and repositories. @throws Rejection `argument.invalid`
 */
export function completionScript(program: Command, shell: string): string {
  const commands = commandShapes(program);
  switch (SHELLS.find((known) => known === shell)) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
    case undefined:
      throw new Rejection('argument.invalid', `There is no completion for ${shell}.`, { next: `use one of ${SHELLS.join(', ')}` });
  }
}
