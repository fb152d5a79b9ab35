import type { CliHost } from './host.js';
import { terminalOf } from './host.js';
import { makeStyle } from './render/style.js';
import { neutralJson } from './render/terminal-text.js';

/** Where a command says things, and whether a program listens. */
export interface Voice {
  readonly host: CliHost;
  /** `--json`: documents and events on stdout; on stderr JSON lines only. */
  readonly json: boolean;
}

/** The one answer of a command: text for a person, one JSON document with `--json`. */
export function answer({ host, json }: Voice, document: unknown, text: string): void {
  if (json) host.stdout.write(jsonLine(document));
  else if (text !== '') host.stdout.write(`${text}\n`);
}

/** What a person should know beside the answer; `{"notice"}` with `--json`. */
export function notice(voice: Voice, text: string): void {
  const { host, json } = voice;
  host.stderr.write(json ? jsonLine({ notice: text.trim() }) : `${text}\n`);
}

/** A notice that stands out. */
export function warning(voice: Voice, text: string): void {
  const { host, json } = voice;
  notice(voice, json ? text : makeStyle(terminalOf(host, host.stderr).color).yellow(`! ${text}`));
}

export function jsonLine(document: unknown): string {
  return `${neutralJson(JSON.stringify(document))}\n`;
}
