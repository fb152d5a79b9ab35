import { down } from './supervisor/down.js';
import type { Say } from './supervisor/steps.js';
import { explain, up } from './supervisor/up.js';

const say: Say = (line) => process.stdout.write(`${line}\n`);
const COMMANDS = { up, down };

async function main(name: string): Promise<number> {
  if (name !== 'up' && name !== 'down') {
    say('Usage: supervisor up | down');
    return 2;
  }
  try {
    return await COMMANDS[name](process.env, say);
  } catch (error) {
    say(explain(error));
    return 1;
  }
}

// What cannot be said, because a reader is gone or a disk is full, must not end what runs.
process.stdout.on('error', () => undefined);
process.exit(await main(process.argv[2] ?? 'up'));
