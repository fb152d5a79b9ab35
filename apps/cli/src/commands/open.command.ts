import { EXIT } from '../exit-codes.js';
import { answer } from '../output.js';
import type { CommandContext } from './command-context.js';

interface SignInCode {
  readonly code: string;
  readonly validForMs: number;
}

/** The link alone, so that it can be handed to a browser. */
export async function openDashboard(context: CommandContext): Promise<number> {
  const { code, validForMs } = await context.api.post<SignInCode>('/sign-in-codes', {});
  const url = `${context.api.address.url}/#code=${code}`;
  answer(context, { url, validForMs }, url);
  return EXIT.completed;
}
