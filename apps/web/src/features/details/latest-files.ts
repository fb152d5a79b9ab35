import type { FileChange } from '@bullpen/contracts';
import type { Turn, TurnItem } from '@bullpen/session-model';

/** Tools that change the file they name; what an agent runs in a shell names none. */
const CHANGING_TOOL = /write|edit|create|patch|replace|delete|move/i;
/** How agents call the file in a tool's input. */
const PATH_INPUTS = ['path', 'file_path', 'filePath'] as const;

/** The files that the agent changed last come first; those of which nothing is known come after them, in the order given. */
export function latestFirst(files: readonly FileChange[], turns: readonly Turn[]): readonly FileChange[] {
  const left = new Map(files.map((file) => [file.path, file]));
  const latest: FileChange[] = [];
  for (const turn of turns.toReversed()) {
    for (const item of turn.items.toReversed()) {
      if (left.size === 0) return latest;
      const file = fileOf(item, left);
      if (file === undefined) continue;
      latest.push(file);
      left.delete(file.path);
    }
  }
  return [...latest, ...left.values()];
}

/** Tools name a file from the root of the machine or from that of the repository. */
function fileOf(item: TurnItem, files: ReadonlyMap<string, FileChange>): FileChange | undefined {
  if (item.kind !== 'tool' || !CHANGING_TOOL.test(item.name)) return undefined;
  const named = PATH_INPUTS.map((key) => item.input[key]).find((value) => typeof value === 'string');
  if (typeof named !== 'string') return undefined;
  const segments = named.split('/').filter((segment) => segment !== '' && segment !== '.');
  return segments.map((_, index) => files.get(segments.slice(index).join('/'))).find((file) => file !== undefined);
}
