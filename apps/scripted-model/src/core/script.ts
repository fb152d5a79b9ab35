/** What one script line of a prompt asks for. */
export type Step =
  | { readonly kind: 'write'; readonly path: string; readonly content: string }
  | { readonly kind: 'edit'; readonly path: string; readonly before: string; readonly after: string }
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'run'; readonly command: string }
  | { readonly kind: 'slow'; readonly words: number }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'error'; readonly status: number };

/** Ten minutes of text at 100 ms a word. */
export const MAX_SLOW_WORDS = 6_000;

/** For whoever writes prose to it. */
export const SCRIPT_HINT =
  'No real model answers here. This one obeys lines of a prompt: ' +
  'write FILE: TEXT · edit FILE: OLD => NEW · read FILE · run: COMMAND · say: TEXT · slow: WORDS · error: STATUS';

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '\\': '\\' };

/** The script lines of a prompt, in order. Any other line is prose and is left out; an indented or quoted line is prose too. */
export function parseScript(prompt: string): Step[] {
  return prompt
    .split(/\r?\n/)
    .map(parseLine)
    .filter((step) => step !== null);
}

function parseLine(line: string): Step | null {
  return parseFileStep(line) ?? parseOtherStep(line);
}

function parseFileStep(line: string): Step | null {
  const write = /^write (\S+): ?(.*)$/.exec(line);
  if (write) return { kind: 'write', path: group(write, 1), content: endWithNewline(unescape(group(write, 2))) };
  const edit = /^edit (\S+): (.*?) => (.*)$/.exec(line);
  if (edit) return { kind: 'edit', path: group(edit, 1), before: unescape(group(edit, 2)), after: unescape(group(edit, 3)) };
  const read = /^read (\S+)\s*$/.exec(line);
  return read && { kind: 'read', path: group(read, 1) };
}

function parseOtherStep(line: string): Step | null {
  const run = /^run: (.+)$/.exec(line);
  if (run) return { kind: 'run', command: group(run, 1) };
  const slow = /^slow: (\d{1,6})\s*$/.exec(line);
  if (slow) return { kind: 'slow', words: Math.min(Number(group(slow, 1)), MAX_SLOW_WORDS) };
  const say = /^say: (.+)$/.exec(line);
  if (say) return { kind: 'say', text: unescape(group(say, 1)) };
  const error = /^error: ([45]\d\d)\s*$/.exec(line);
  return error && { kind: 'error', status: Number(group(error, 1)) };
}

function group(match: RegExpExecArray, index: number): string {
  return match[index] ?? '';
}

function unescape(text: string): string {
  return text.replace(/\\([nt\\])/g, (_, letter: string) => ESCAPES[letter] ?? letter);
}

function endWithNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
