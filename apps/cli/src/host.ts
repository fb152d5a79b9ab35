import type { Terminal } from './render/terminal-text.js';

export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string | Uint8Array): unknown;
}

/** The process that the CLI runs in. Everything it reads or writes of it goes through here. */
export interface CliHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Where `./bullpen` lies; its data is in `.bullpen` there unless BULLPEN_HOME says otherwise. */
  readonly checkout: string;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly readStdin: () => Promise<string>;
  /** A line that a person answers with; null when nobody can be asked. */
  readonly ask?: (question: string) => Promise<string | null>;
  /** Calls back at each Ctrl-C; answers with what ends that. */
  readonly onInterrupt: (callback: () => void) => () => void;
}

const MIN_WIDTH = 20;

export function terminalOf({ environment }: CliHost, output: Output): Terminal {
  if (output.isTTY !== true || environment['TERM'] === 'dumb') return { color: false, width: null };
  const width = Math.max(MIN_WIDTH, output.columns ?? 80);
  return { color: !environment['NO_COLOR'], width };
}
