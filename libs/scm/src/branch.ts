import { Rejection } from '@bullpen/errors';

const MAX_BRANCH_CHARS = 200;
/** What git-check-ref-format forbids anywhere in a name, and whitespace of any kind. */
const FORBIDDEN = /[\s~^:?*[\\\p{Cc}\p{Cs}]|\.\.|@\{|\/\/|^[/-]|[/.]$|^@$|^HEAD$/u;

/** Whether git accepts this as a branch name, and no command line can take it for an option. */
export function isBranchName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_BRANCH_CHARS || FORBIDDEN.test(name)) return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** @throws Rejection `repository.branch-missing`: a name that git does not allow names no branch */
export function requireBranchName(name: string): void {
  if (isBranchName(name)) return;
  const shown = name.slice(0, MAX_BRANCH_CHARS);
  throw new Rejection(
    'repository.branch-missing',
    `There is no branch ${JSON.stringify(shown)}: git does not allow that name. Give the name of an existing branch.`,
    { branch: shown },
  );
}
