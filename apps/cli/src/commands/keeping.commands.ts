import { Rejection } from '@bullpen/errors';

import { EXIT } from '../exit-codes.js';
import { terminalOf } from '../host.js';
import { answer, notice } from '../output.js';
import { addRepository, listRepositories, removeRepository, resolveRepository } from '../platform/repositories-api.js';
import { resolveSessionId } from '../platform/session-reference.js';
import { archiveSession, deleteSession, getSession, renameSession, unarchiveSession } from '../platform/sessions-api.js';
import { neutralLine } from '../render/terminal-text.js';
import { requireGiven } from './command-context.js';
import type { CommandContext } from './command-context.js';
import { repositoryTable } from '../render/repository-table.js';
import { givenRepository } from '../platform/local-repository.js';

export async function rename(context: CommandContext, reference: string, title: string): Promise<number> {
  requireGiven('<title>', title);
  const id = await resolveSessionId(context.api, reference);
  await renameSession(context.api, id, title);
  return say(context, { id, title }, `${id} is now called ${neutralLine(title)}.`);
}

export async function archive(context: CommandContext, reference: string): Promise<number> {
  const id = await resolveSessionId(context.api, reference);
  const { changed } = await archiveSession(context.api, id);
  const text = changed ? `Archived ${id}. To bring it back:  ./bullpen unarchive ${id}` : `${id} was archived already.`;
  return say(context, { id, changed }, text);
}

export async function unarchive(context: CommandContext, reference: string): Promise<number> {
  const id = await resolveSessionId(context.api, reference);
  const { changed } = await unarchiveSession(context.api, id);
  return say(context, { id, changed }, changed ? `${id} is back.` : `${id} was not archived.`);
}

/** Asks a person; from a script it wants to be told that it is meant. */
export async function remove(context: CommandContext, reference: string, { yes }: { readonly yes?: boolean }): Promise<number> {
  const id = await resolveSessionId(context.api, reference);
  if (!yes) {
    const { title } = await getSession(context.api, id);
    if (!(await isMeant(context, `Delete ${id} (${neutralLine(title)}) for good? Its events, objects and files are erased. [y/N] `))) {
      notice(context, 'Nothing was deleted.');
      return EXIT.notCompleted;
    }
  }
  await deleteSession(context.api, id);
  return say(context, { id, deleted: true }, `Deleted ${id}.`);
}

export async function repos(context: CommandContext): Promise<number> {
  const rows = await listRepositories(context.api);
  const { host } = context;
  return say(context, rows, repositoryTable(rows, Date.now(), terminalOf(host, host.stdout)).join('\n'));
}

export async function addRepo(context: CommandContext, given: string, { name }: { readonly name?: string }): Promise<number> {
  const { repository: source } = givenRepository(given, context.host.cwd);
  const added = await addRepository(context.api, { source, ...(name === undefined ? {} : { name }) });
  return say(context, added, `Added ${neutralLine(added.name)} (${neutralLine(added.source)}, ${neutralLine(added.defaultBranch)}) as ${added.id}.`);
}

export async function removeRepo(context: CommandContext, reference: string): Promise<number> {
  const { id, name } = await resolveRepository(context.api, reference);
  await removeRepository(context.api, id);
  return say(context, { id, removed: true }, `Removed ${neutralLine(name)} from the list; its sessions stay.`);
}

function say(context: CommandContext, document: unknown, text: string): number {
  answer(context, document, text);
  return EXIT.completed;
}

/** @throws Rejection `delete.unconfirmed` where nobody can be asked */
async function isMeant({ host, json }: CommandContext, question: string): Promise<boolean> {
  const reply = json ? null : await host.ask?.(question);
  if (reply !== undefined && reply !== null) return /^y(es)?$/i.test(reply.trim());
  throw new Rejection('delete.unconfirmed', 'Nobody can be asked whether the deletion is meant.', { next: 'add --yes' });
}
