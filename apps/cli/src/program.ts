import { readFileSync } from 'node:fs';

import { Argument, Command, CommanderError, Option } from 'commander';

import { SESSION_STATUSES } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { Fault } from '@bullpen/errors';

import type { CommandContext } from './commands/command-context.js';
import { events } from './commands/events.command.js';
import type { EventsOptions } from './commands/events.command.js';
import { openDashboard } from './commands/open.command.js';
import { run } from './commands/run.command.js';
import type { RunOptions } from './commands/run.command.js';
import { complete } from './commands/complete.command.js';
import { doctor } from './commands/doctor.command.js';
import { addRepo, archive, remove, removeRepo, rename, repos, unarchive } from './commands/keeping.commands.js';
import { attach, cancel, diff, prompt, retry, sessions } from './commands/session.commands.js';
import type { SessionsOptions } from './commands/session.commands.js';
import { LIVE_KINDS } from './completion/command-shapes.js';
import type { LiveKind } from './completion/command-shapes.js';
import { SHELLS, completionScript } from './completion/completion.js';
import { errorJson, errorText } from './error-text.js';
import { EXIT, exitCodeOfError } from './exit-codes.js';
import { HELP_TOPICS, helpText } from './help-topics.js';
import { terminalOf } from './host.js';
import type { CliHost } from './host.js';
import { findAddress } from './platform/address.js';
import type { Address } from './platform/address.js';
import { ApiClient } from './platform/api-client.js';
import { answer, warning } from './output.js';
import type { Voice } from './output.js';
import { neutralLine } from './render/terminal-text.js';

const ID = 'session id, its unique beginning or end, or "last"';
/** Runs one command line (without `node` and the script). Resolves to the exit code; never rejects. */
export async function runCli(args: readonly string[], host: CliHost): Promise<number> {
  const voice: Voice = { host, json: wantsJson(args) };
  let exitCode: number = EXIT.completed;
  const program = makeProgram(voice, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return endOfParsing(voice, error);
    const code = exitCodeOfError(error);
    host.stderr.write(voice.json ? errorJson(error, code) : errorText(error, terminalOf(host, host.stderr).color));
    return code;
  }
}

/** Known before the line is read, so that also a mistake in it is told as JSON. */
function wantsJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

/** Help was shown, or commander has said what is wrong. */
function endOfParsing({ host, json }: Voice, { exitCode, code, message }: CommanderError): number {
  if (exitCode === 0) return EXIT.completed;
  const what = code === 'commander.help' ? 'No command was given.' : message.replace(/^error: /, '');
  const error = new Rejection('argument.invalid', what, { next: './bullpen --help, or --help behind the command, shows how' });
  if (json) host.stderr.write(errorJson(error, EXIT.usage));
  return EXIT.usage;
}

type Exit = (code: number) => void;

function makeProgram(voice: Voice, exit: Exit): Command {
  const { host, json } = voice;
  const program = new Command('bullpen');
  const commandFor = (name: string, description: string, examples: readonly string[]): Command =>
    program.command(name).description(description).addHelpText('after', examplesText(examples)).copyInheritedSettings(program);
  const address = (): Address => findAddress(host, program.opts<{ url?: string }>().url);
  const context = (): CommandContext => {
    const onWait = ({ message }: Fault): void => warning(voice, `${neutralLine(message)} Trying again…`);
    return { ...voice, api: new ApiClient(address(), onWait) };
  };
  program
    .description('Background coding agents, from a terminal.')
    .version(version(), '-V, --version')
    .option('--url <url>', 'where the platform is (default: BULLPEN_URL, BULLPEN_PORT, or what make up wrote down)')
    .option('--json', 'for programs: JSON instead of text (help json)')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(--help shows how)')
    .configureOutput({ writeOut: (text) => host.stdout.write(text), writeErr: (text) => (json ? undefined : host.stderr.write(text)) })
    .addHelpText('after', PROGRAM_NOTES);
  const parts: Parts = { commandFor, context, exit };
  addTurnCommands(parts);
  addReadCommands(parts);
  addKeepingCommands(parts);
  addMachineCommands(program, parts, { voice, address });
  return program;
}

function addMachineCommands(program: Command, { commandFor, context, exit }: Parts, { voice, address }: { readonly voice: Voice; readonly address: () => Address }): void {
  commandFor('doctor', 'Say what this machine or its platform lacks, and the cure.', ['./bullpen doctor', 'make doctor'])
    .action(async () => exit(await doctor(voice)));
  commandFor('open', 'Print a link that signs a browser in to the dashboard, once.', ['./bullpen open', 'xdg-open "$(./bullpen open)"'])
    .action(async () => exit(await openDashboard(context())));
  commandFor('completion', 'Print a completion script for a shell.', [
    'source <(./bullpen completion bash)      # bash: in ~/.bashrc; zsh: the same with zsh, in ~/.zshrc',
    './bullpen completion fish > ~/.config/fish/completions/bullpen.fish',
  ])
    .addArgument(new Argument('<shell>', 'whose').choices([...SHELLS]))
    .action((shell: string) => {
      const script = completionScript(program, shell);
      answer(voice, { shell, script }, script.trimEnd());
    });
  commandFor('help', `Say how a command works, or about ${Object.keys(HELP_TOPICS).join(', ')}.`, ['./bullpen help run', './bullpen help exit-codes'])
    .argument('[topic...]', 'a command, or one of these topics')
    .action((words: string[]) => void voice.host.stdout.write(`${helpText(program, words)}\n`));
  program
    .command('complete', { hidden: true })
    .addArgument(new Argument('<kind>').choices([...LIVE_KINDS]))
    .action(async (kind: LiveKind) => exit(await complete(voice.host, kind, address)));
}

interface Parts {
  readonly commandFor: (name: string, description: string, examples: readonly string[]) => Command;
  readonly context: () => CommandContext;
  readonly exit: Exit;
}

function addTurnCommands({ commandFor, context, exit }: Parts): void {
  commandFor('run', 'Start a session with a prompt and watch its turn.', [
    `./bullpen run --repo sample $'write hello.txt: hi\\nrun: git status --short'`,
    './bullpen run --repo . --branch main "make the tests pass"',
    'git log -5 | ./bullpen run --repo https://github.com/acme/shop -',
  ])
    .argument('<prompt>', 'what the agent is to do; - reads it from standard input')
    .requiredOption('--repo <repository>', 'sample, a name in ./bullpen repos, an https or ssh URL, or a path')
    .option('--branch <branch>', 'branch to start from (default: the one of the repository)')
    .option('--title <title>', 'title of the session (default: the first line of the prompt)')
    .action(async (text: string, options: RunOptions) => exit(await run(context(), text, options)));
  commandFor('prompt', 'Queue a prompt in a session and watch its turn.', ['./bullpen prompt last "now add a test"'])
    .argument('<id>', ID)
    .argument('<prompt>', 'what the agent is to do; - reads it from standard input')
    .option('--no-wait', 'only queue it, and print its id')
    .action(async (id: string, text: string, options: { wait: boolean }) => exit(await prompt(context(), id, text, options)));
  commandFor('retry', 'Start the last failed turn again and watch it.', ['./bullpen retry last'])
    .argument('<id>', ID)
    .option('--no-wait', 'only start it')
    .action(async (id: string, options: { wait: boolean }) => exit(await retry(context(), id, options)));
  commandFor('cancel', 'Stop the running turn of a session.', ['./bullpen cancel last'])
    .argument('<id>', ID)
    .action(async (id: string) => exit(await cancel(context(), id)));
}

function addReadCommands({ commandFor, context, exit }: Parts): void {
  commandFor('attach', 'Show a session from its start and watch until nothing runs or waits.', [
    './bullpen attach last',
    './bullpen attach 7k2m9x --follow',
  ])
    .argument('<id>', ID)
    .option('--follow', 'stay when nothing runs or waits')
    .action(async (id: string, options: { follow?: boolean }) => exit(await attach(context(), id, options)));
  commandFor('events', 'Print the log of a session, one event a line.', [
    './bullpen events last --json | jq .type',
    './bullpen events last --after 30464 --follow',
  ])
    .argument('<id>', ID)
    .option('--after <event>', 'only what comes after this event id', '0')
    .option('--follow', 'stay and print what comes, until Ctrl-C')
    .action(async (id: string, options: EventsOptions) => exit(await events(context(), id, options)));
  commandFor('diff', 'Print what a session changed, as a git patch.', ['./bullpen diff last', './bullpen diff last --turn 2 | git apply'])
    .argument('<id>', ID)
    .option('--turn <n>', 'only what that turn changed; the first one is 1')
    .action(async (id: string, options: { turn?: string }) => exit(await diff(context(), id, options)));
  commandFor('sessions', 'List or find sessions, newest first; archived ones with --status archived.', [
    './bullpen sessions --status running',
    './bullpen sessions login checkout',
    './bullpen sessions --json | jq -r .[0].id',
  ])
    .argument('[words...]', 'words, or beginnings of words, in title, prompts or repository')
    .option('--repo <repository>', 'only on that repository: its name or id')
    .addOption(new Option('--status <status>', 'only those').choices([...SESSION_STATUSES]))
    .action(async (words: string[], options: SessionsOptions) => exit(await sessions(context(), words, options)));
}

function addKeepingCommands({ commandFor, context, exit }: Parts): void {
  commandFor('rename', 'Give a session another title.', ['./bullpen rename last "Mend the login"'])
    .argument('<id>', ID)
    .argument('<title>', 'what it is to be called')
    .action(async (id: string, title: string) => exit(await rename(context(), id, title)));
  commandFor('archive', 'Stop what runs in a session and take it out of the list.', ['./bullpen archive last'])
    .argument('<id>', ID)
    .action(async (id: string) => exit(await archive(context(), id)));
  commandFor('unarchive', 'Bring an archived session back; its queue goes on.', ['./bullpen unarchive 7k2m9x'])
    .argument('<id>', ID)
    .action(async (id: string) => exit(await unarchive(context(), id)));
  commandFor('delete', 'Delete a session for good, with everything it holds.', ['./bullpen delete last', './bullpen delete 7k2m9x --yes'])
    .argument('<id>', ID)
    .option('-y, --yes', 'do not ask')
    .action(async (id: string, options: { yes?: boolean }) => exit(await remove(context(), id, options)));
  const repositories = commandFor('repos', 'List, add or remove repositories; the one used last comes first.', [
    './bullpen repos',
    './bullpen repos add https://github.com/acme/shop --name shop',
    './bullpen repos remove shop',
  ])
    .action(async () => exit(await repos(context())));
  repositories
    .command('add <source>')
    .description('Add a git URL or path, after a look at it.')
    .option('--name <name>', 'what to call it (default: as its source is called)')
    .action(async (source: string, options: { name?: string }) => exit(await addRepo(context(), source, options)));
  repositories
    .command('remove <repository>')
    .description('Take a repository out of the list, by name or id; its sessions stay.')
    .action(async (name: string) => exit(await removeRepo(context(), name)));
}

const PROGRAM_NOTES = `
Environment:
  BULLPEN_URL    where the platform is; BULLPEN_PORT: the same on this machine
  BULLPEN_TOKEN  how to be let in (default: the file token in BULLPEN_HOME)
  BULLPEN_HOME   data of a platform on this machine (default: .bullpen in the checkout)
  NO_COLOR       no colours

Exit codes: 0 done, 1 not completed, 2 wrong usage, 3 not reached or refused, 130 detached, 141 output closed.
More: ./bullpen help exit-codes, ./bullpen help json.

Examples:
  make up                                             start the platform, in another terminal
  ./bullpen run --repo sample "write hello.txt: hi"   give it something to do
  ./bullpen diff last                                 see what it changed`;

function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`;
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown';
}
