import { execFile } from 'node:child_process';
import { join } from 'node:path';

import type { Voice } from '../output.js';
import { EXIT } from '../exit-codes.js';

/** It asks several programs and servers, each with a time limit of its own. */
const TIMEOUT_MS = 120_000;
const MAX_OUTPUT_BYTES = 1024 * 1024;

/** `bullpen doctor`: the same as `make doctor`, which also works where nothing is built. */
export function doctor({ host, json }: Voice): Promise<number> {
  const script = join(host.checkout, 'tools', 'doctor.mjs');
  const options = { env: host.environment, timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES };
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...(json ? ['--json'] : [])], options, (error, stdout, stderr) => {
      host.stdout.write(stdout);
      host.stderr.write(stderr);
      resolve(error === null ? EXIT.completed : EXIT.notCompleted);
    });
  });
}
