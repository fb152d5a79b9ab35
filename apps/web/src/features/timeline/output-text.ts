import Anser from 'anser';

import type { ClippedText } from '@bullpen/contracts';

/** So many lines are shown before somebody asks for more. */
export const CLAMPED_LINES = 12;

export interface OutputPart {
  readonly text: string;
  /** Of our own colours; an agent's terminal knows no others. */
  readonly className: string;
}

const FOREGROUNDS: Readonly<Record<string, string>> = {
  'ansi-black': 'text-faint',
  'ansi-bright-black': 'text-faint',
  'ansi-red': 'text-error',
  'ansi-bright-red': 'text-error',
  'ansi-green': 'text-ok',
  'ansi-bright-green': 'text-ok',
  'ansi-yellow': 'text-warn',
  'ansi-bright-yellow': 'text-warn',
  'ansi-blue': 'text-info',
  'ansi-bright-blue': 'text-info',
  'ansi-cyan': 'text-info',
  'ansi-bright-cyan': 'text-info',
  'ansi-magenta': 'text-accent',
  'ansi-bright-magenta': 'text-accent',
};

const DECORATIONS: Readonly<Record<string, string>> = { bold: 'font-semibold', italic: 'italic', underline: 'underline', strikethrough: 'line-through' };

/** What a terminal would show at the end: progress lines that were written over are gone, colours are classes. */
export function readOutput(text: string): readonly OutputPart[] {
  const parts = Anser.ansiToJson(text, { json: true, remove_empty: true, use_classes: true });
  return parts.map(({ content, fg, decorations }) => {
    const names = [FOREGROUNDS[fg], ...decorations.map((name) => DECORATIONS[name])];
    return { text: content, className: names.filter((name) => name !== undefined).join(' ') };
  });
}

/** Without what a terminal obeys and does not show, and without empty lines at the end. */
export function shownText(text: string): string {
  return text
    .replaceAll(OPERATING_SYSTEM_COMMANDS, '')
    .replaceAll(/\r+\n/g, '\n')
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf('\r', line.length - 2) + 1))
    .join('\n')
    .replaceAll(CONTROLS, '')
    .trimEnd();
}

const OPERATING_SYSTEM_COMMANDS = /\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g;
// All but tab, line feed and escape.
const CONTROLS = /[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g;

export interface ClampedText {
  readonly text: string;
  readonly lines: number;
  readonly isClamped: boolean;
}

/** The first or the last lines of a text; one line more than fits is shown rather than offered. */
export function clampLines(text: string, keep: 'first' | 'last', max = CLAMPED_LINES): ClampedText {
  const lines = text.split('\n');
  if (lines.length <= max + 1) return { text, lines: lines.length, isClamped: false };
  const kept = keep === 'first' ? lines.slice(0, max) : lines.slice(-max);
  return { text: kept.join('\n'), lines: lines.length, isClamped: true };
}

/** What is there of a text that may have been cut. */
export function joinClipped({ text, tail }: ClippedText): string {
  return tail === '' ? text : `${text}\n…\n${tail}`;
}

export function isClipped({ tail, sha256 }: ClippedText): boolean {
  return tail !== '' || sha256 !== '';
}
