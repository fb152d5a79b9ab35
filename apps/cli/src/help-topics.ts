import type { Command } from 'commander';

import { Rejection } from '@bullpen/errors';

import { EXIT, EXIT_MEANINGS } from './exit-codes.js';

const JSON_TEXT = `--json makes the output of every command one for programs.

run, attach, prompt, retry and events print one line of JSON an event, as the API gives it ({"id", "type", "data", ...}),
then one that says how it ended:
  {"type":"summary","sessionId","head","end","outcome","failureCode","next","exitCode"}
  end      reached, paused (no sandbox could be started), detached (Ctrl-C), nothing (there was nothing to retry)
  outcome  completed, failed or cancelled, of the turn watched; null when none ended; always null for events
No such line: the command ended by an error.

Every other command prints one document:
  sessions, repos          an array of rows, as the API gives them
  prompt --no-wait         {"id","promptId","position"}
  retry --no-wait          {"id","retrying"}
  cancel                   {"id","cancelling"}
  archive, unarchive       {"id","changed"}
  rename                   {"id","title"}
  delete                   {"id","deleted"}; never asks, so it needs --yes
  repos add, repos remove  the repository; {"id","removed"}
  diff                     {"id","turnId","encoding","patch"}, encoding utf8 or base64
  open                     {"url","validForMs"}
  doctor                   {"ok","findings":[{"code","state","what","cure"}]}
  completion               {"shell","script"}

help and --version stay text.

On stderr are lines of JSON only: {"notice"}, and when the command failed one problem (RFC 9457):
  {"type","title","status","detail","code","details","next","exitCode"}
status is there when the platform answered; code is stable; next is what helps, or null. Exit codes are the same as without --json.`;

/** Texts that `bullpen help <topic>` shows. */
export const HELP_TOPICS: Readonly<Record<string, string>> = {
  'exit-codes': `Exit codes:\n${exitCodeLines().join('\n')}`,
  json: JSON_TEXT,
};

export function exitCodeLines(): string[] {
  return Object.entries(EXIT_MEANINGS).map(([name, meaning]) => `  ${String(EXIT[name as keyof typeof EXIT]).padStart(3)}  ${meaning}`);
}

/** `bullpen help <words>`: a topic, or a command and its subcommand. @throws Rejection `argument.invalid` */
export function helpText(program: Command, words: readonly string[]): string {
  const topic = HELP_TOPICS[words.join(' ')];
  if (topic !== undefined) return topic;
  let command: Command | undefined = program;
  for (const word of words) command = command?.commands.find((each) => each.name() === word);
  if (command !== undefined) return fullHelpOf(command);
  const next = `./bullpen help lists the commands; other topics: ${Object.keys(HELP_TOPICS).join(', ')}`;
  throw new Rejection('argument.invalid', `There is no help on ${JSON.stringify(words.join(' '))}.`, { next });
}

/** Commander puts the examples out itself, behind what it calls the help. */
function fullHelpOf(command: Command): string {
  let text = '';
  command.configureOutput({ ...command.configureOutput(), writeOut: (part) => (text += part) }).outputHelp();
  return text.trimEnd();
}
