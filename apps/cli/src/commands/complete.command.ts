import { ApiClient } from '../platform/api-client.js';
import type { Address } from '../platform/address.js';
import { listRepositories } from '../platform/repositories-api.js';
import { listSessions } from '../platform/sessions-api.js';
import type { CliHost } from '../host.js';
import { EXIT } from '../exit-codes.js';
import { fit, neutralLine } from '../render/terminal-text.js';
import type { LiveKind } from '../completion/command-shapes.js';

/** Somebody holds a key down: one try, and none of it takes longer. */
const PATIENCE = { retryDelaysMs: [], timeoutMs: 1_000 };
const MAX_CANDIDATES = 50;
const DESCRIPTION_COLUMNS = 50;

/** What shells ask for while a line is typed: `value TAB description`, newest first. Without a platform nothing, silently. */
export async function complete(host: CliHost, kind: LiveKind, address: () => Address): Promise<number> {
  try {
    const api = new ApiClient(address(), undefined, PATIENCE);
    const rows = kind === 'sessions' ? await sessionRows(api) : (await listRepositories(api)).slice(0, MAX_CANDIDATES).map(({ name, source }) => [name, source]);
    host.stdout.write(rows.map(([value = '', about = '']) => `${neutralLine(value)}\t${fit(neutralLine(about), DESCRIPTION_COLUMNS)}\n`).join(''));
  } catch {
    // A message would land in the line that is being typed.
  }
  return EXIT.completed;
}

async function sessionRows(api: ApiClient): Promise<string[][]> {
  const rows: string[][] = [];
  for await (const { id, status, title } of listSessions(api)) {
    rows.push([id, `${status}: ${title}`]);
    if (rows.length === MAX_CANDIDATES) break;
  }
  return rows;
}
