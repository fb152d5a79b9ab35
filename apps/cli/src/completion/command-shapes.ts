import type { Command } from 'commander';

/** What may stand in one place of a command line. */
export interface Candidates {
  /** Asked of the platform each time, by `bullpen complete <live>`. */
  readonly live: LiveKind | null;
  readonly words: readonly Word[];
}

export const LIVE_KINDS = ['sessions', 'repositories'] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

export interface Word {
  readonly word: string;
  readonly description: string;
}

export interface OptionShape extends Word {
  /** Null when it takes no value. */
  readonly value: Candidates | null;
}

export interface CommandShape {
  /** `repos add`; empty for the program itself. */
  readonly path: string;
  readonly options: readonly OptionShape[];
  /** Of its first word: a subcommand, or the first argument. */
  readonly first: Candidates;
}

/** Of the program, then of every command a person is told of, with the options that all of them take. */
export function commandShapes(program: Command): CommandShape[] {
  const common = [...optionsOf(program), { word: '--help', description: 'Say how.', value: null }];
  return [shapeOf(program, '', common), ...program.commands.filter(isShown).flatMap((command) => shapesBelow(command, command.name(), common))];
}

function shapesBelow(command: Command, path: string, common: readonly OptionShape[]): CommandShape[] {
  const shape = shapeOf(command, path, [...optionsOf(command), ...common.filter(({ word }) => word !== '--version')]);
  return [shape, ...command.commands.flatMap((each) => shapesBelow(each, `${path} ${each.name()}`, common))];
}

function shapeOf(command: Command, path: string, options: readonly OptionShape[]): CommandShape {
  const subcommands = command.commands.filter(isShown).map((each) => ({ word: each.name(), description: each.description() }));
  const [argument] = command.registeredArguments;
  const first = subcommands.length > 0 ? { live: null, words: subcommands } : candidatesOf(argument?.name() ?? '', argument?.argChoices);
  return { path, options, first };
}

/** Commander keeps hidden commands in the list, and the mark to itself. */
function isShown(command: Command): boolean {
  return !(command as Command & { readonly _hidden?: boolean })._hidden;
}

function optionsOf(command: Command): OptionShape[] {
  return command.options.flatMap(({ long, description, required, argChoices }) => {
    if (!long) return [];
    return [{ word: long, description, value: required ? candidatesOf(long.slice(2), argChoices) : null }];
  });
}

/** A place is known by what it is called. */
function candidatesOf(name: string, choices: readonly string[] | undefined): Candidates {
  if (choices !== undefined) return { live: null, words: choices.map((word) => ({ word, description: '' })) };
  if (name === 'id') return { live: 'sessions', words: [{ word: 'last', description: 'The newest session' }] };
  if (name === 'repo' || name === 'repository') return { live: 'repositories', words: [] };
  return { live: null, words: [] };
}
