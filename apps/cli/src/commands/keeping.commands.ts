import { Rejection } from '@bullpen/errors';

import { EXIT } from '../exit-codes.js';
import { terminalOf } from '../host.js';
import type { CliHost } from '../host.js';
import { addRepository, listRepositories, removeRepository, resolveRepository } from '../platform/repositories-api.js';
import { resolveSessionId } from '../platform/session-reference.js';
import { archiveSession, deleteSession, getSession, renameSession, unarchiveSession } from '../platform/sessions-api.js';
import { neutralJson, neutralLine } from '../render/terminal-text.js';
import type { CommandContext } from './command-context.js';
import { repositoryTable } from '../render/repository-table.js';
import { givenRepository } from '../platform/local-repository.js';

/** Every command that changes something prints one line for a person, or what changed as JSON. */
export interface JsonOption {
  readonly json?: boolean;
}

export async function rename({ host, api }: CommandContext, reference: string, { title, json }: JsonOption & { readonly title: string }): Promise<number> {
  const id = await resolveSessionId(api, reference);
  await renameSession(api, id, title);
  return say(host, { json, result: { id, title }, text: `${id} is now called ${neutralLine(title)}.` });
}

export async function archive({ host, api }: CommandContext, reference: string, { json }: JsonOption): Promise<number> {
  const id = await resolveSessionId(api, reference);
  const { changed } = await archiveSession(api, id);
  const text = changed ? `Archived ${id}. To bring it back:  ./bullpen unarchive ${id}` : `${id} was archived already.`;
  return say(host, { json, result: { id, changed }, text });
}

export async function unarchive({ host, api }: CommandContext, reference: string, { json }: JsonOption): Promise<number> {
  const id = await resolveSessionId(api, reference);
  const { changed } = await unarchiveSession(api, id);
  return say(host, { json, result: { id, changed }, text: changed ? `${id} is back.` : `${id} was not archived.` });
}

/** Asks a person; from a script it wants to be told that it is meant. */
export async function remove({ host, api }: CommandContext, reference: string, { yes, json }: JsonOption & { readonly yes?: boolean }): Promise<number> {
  const id = await resolveSessionId(api, reference);
  if (!yes) {
    const { title } = await getSession(api, id);
    if (!(await isMeant(host, `Delete ${id} (${neutralLine(title)}) for good? Its events, objects and files are erased. [y/N] `))) {
      host.stderr.write('Nothing was deleted.\n');
      return EXIT.notCompleted;
    }
  }
  await deleteSession(api, id);
  return say(host, { json, result: { id, deleted: true }, text: `Deleted ${id}.` });
}

export async function repos({ host, api }: CommandContext, { json }: JsonOption): Promise<number> {
  const rows = await listRepositories(api);
  if (json) host.stdout.write(`${neutralJson(JSON.stringify(rows, null, 2))}\n`);
  else host.stdout.write(`${repositoryTable(rows, Date.now(), terminalOf(host, host.stdout)).join('\n')}\n`);
  return EXIT.completed;
}

export async function addRepo({ host, api }: CommandContext, given: string, { name, json }: JsonOption & { readonly name?: string }): Promise<number> {
  const { repository: source } = givenRepository(given, host.cwd);
  const added = await addRepository(api, { source, ...(name === undefined ? {} : { name }) });
  return say(host, { json, result: added, text: `Added ${neutralLine(added.name)} (${neutralLine(added.source)}, ${neutralLine(added.defaultBranch)}) as ${added.id}.` });
}

export async function removeRepo({ host, api }: CommandContext, reference: string, { json }: JsonOption): Promise<number> {
  const { id, name } = await resolveRepository(api, reference);
  await removeRepository(api, id);
  return say(host, { json, result: { id, removed: true }, text: `Removed ${neutralLine(name)} from the list; its sessions stay.` });
}

function say(host: CliHost, { json, result, text }: { readonly json: boolean | undefined; readonly result: object; readonly text: string }): number {
  host.stdout.write(`${json ? neutralJson(JSON.stringify(result)) : text}\n`);
  return EXIT.completed;
}

/** @throws Rejection `delete.unconfirmed` where nobody can be asked */
async function isMeant(host: CliHost, question: string): Promise<boolean> {
  const answer = await host.ask?.(question);
  if (answer !== undefined && answer !== null) return /^y(es)?$/i.test(answer.trim());
  throw new Rejection('delete.unconfirmed', 'Nobody can be asked whether the deletion is meant.', { next: 'add --yes' });
}
