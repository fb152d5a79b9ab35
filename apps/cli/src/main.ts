import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { EXIT } from './exit-codes.js';
import type { CliHost } from './host.js';
import { runCli } from './program.js';
import { ask } from './question.js';

const host: CliHost = {
  environment: process.env,
  cwd: process.cwd(),
  checkout: join(import.meta.dirname, '../../..'),
  stdout: process.stdout,
  stderr: process.stderr,
  readStdin: () => text(process.stdin),
  ask: async (question) => (process.stdin.isTTY && process.stderr.isTTY ? ask(question, process.stdin, process.stderr) : null),
  onInterrupt: (callback) => {
    process.on('SIGINT', callback);
    return () => process.off('SIGINT', callback);
  },
};

// The reader of a pipe has seen enough (`bullpen events last | head -1`): how the turn ends is not known here, so never 0.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(EXIT.outputClosed);
  });
}

process.exitCode = await runCli(process.argv.slice(2), host);
