import { z } from 'zod';

import { parseJson } from './home.js';

const MAX_LINES = 15;
const MAX_PROBLEMS = 4;
/** Code of whatever has none of its own: its message alone says more. */
const NO_CODE = 'internal';

interface LoggedError {
  readonly type?: string | undefined;
  readonly code?: string | undefined;
  readonly message: string;
}

const errorSchema = z.object({ type: z.string().optional(), code: z.string().optional(), message: z.string() });
const lineSchema = z.object({ level: z.string(), msg: z.string(), error: errorSchema.optional() });
type Line = z.infer<typeof lineSchema>;

/**
 * What a process said last, for a person: of structured lines the errors, else the warnings, each once, as `code: message`; of a program
 * that writes plain text its last lines.
 */
export function lastWords(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) return '(it said nothing)';
  const parsed = lines.map((line) => lineSchema.safeParse(parseJson(line)));
  const structured = parsed.flatMap(({ data }) => (data === undefined ? [] : [data]));
  const plain = lines.filter((_, index) => parsed[index]?.success !== true);
  const problems = problemsOf(structured);
  if (problems.length > 0) return problems.slice(-MAX_PROBLEMS).join('\n');
  return (plain.length > 0 ? plain : structured.map(({ msg }) => msg)).slice(-MAX_LINES).join('\n');
}

function problemsOf(lines: readonly Line[]): string[] {
  const errors = lines.filter(({ level }) => level === 'error' || level === 'fatal');
  const chosen = errors.length > 0 ? errors : lines.filter(({ level }) => level === 'warn');
  return [...new Set(chosen.map(({ msg, error }) => (error === undefined ? msg : described(msg, error))))];
}

function described(what: string, { type, code, message }: LoggedError): string {
  return code === undefined || code === NO_CODE ? `${what}: ${type ?? 'Error'}: ${message}` : `${code}: ${message}`;
}
