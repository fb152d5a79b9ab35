import type { Command } from 'commander';

import { Rejection } from '@bullpen/errors';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

interface CommandWords {
  readonly name: string;
  readonly description: string;
  /** Subcommands and options. */
  readonly words: readonly string[];
}

/** A script for the shell, made from the commands there are: names of commands, their subcommands and options. */
export function completionScript(program: Command, shell: string): string {
  const commands = program.commands.map(wordsOf);
  switch (SHELLS.find((known) => known === shell)) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return `#compdef bullpen\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
    case 'fish':
      return fish(commands);
    case undefined:
      throw new Rejection('argument.invalid', `There is no completion for ${shell}.`, { next: `use one of ${SHELLS.join(', ')}` });
  }
}

function wordsOf(command: Command): CommandWords {
  const options = command.options.flatMap(({ long }) => (long ? [long] : []));
  return { name: command.name(), description: command.description(), words: [...command.commands.map((each) => each.name()), ...options, '--help'] };
}

function bash(commands: readonly CommandWords[]): string {
  const cases = commands.map(({ name, words }) => `    ${name}) words="${words.join(' ')}" ;;`).join('\n');
  return `_bullpen() {
  local words="${commands.map(({ name }) => name).join(' ')} --url --help --version"
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map(({ name }) => name).join(' ')} --url --help --version"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _bullpen bullpen ./bullpen
`;
}

function fish(commands: readonly CommandWords[]): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const names = commands.map(({ name, description }) => `complete -c bullpen -n __fish_use_subcommand -f -a ${name} -d ${quote(description)}`);
  const words = commands.flatMap(({ name, words: each }) =>
    each.map((word) => {
      const what = word.startsWith('--') ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      return `complete -c bullpen -n '__fish_seen_subcommand_from ${name}' ${what}`;
    }),
  );
  return `${[...names, ...words].join('\n')}\n`;
}
