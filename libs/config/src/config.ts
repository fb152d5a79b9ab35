import { z } from 'zod';

import { Rejection } from '@bullpen/errors';

const PORT = 'must be a port from 1 to 65535';
export const portVariable = z.coerce.number(PORT).int(PORT).min(1, PORT).max(65_535, PORT);
/** One address, or several with commas between: replicas of one service. Stays text. */
export const urlListVariable = z.string().refine((value) => value.split(',').every((url) => URL.canParse(url.trim())), 'Invalid URL');
export const logLevelVariable = z.enum(['debug', 'info', 'warn', 'error'], 'must be debug, info, warn or error');
/** `auto`: as good as the machine allows. */
export const isolationVariable = z.enum(['auto', 'none'], 'must be auto or none');
export const booleanVariable = z.enum(['0', '1', 'true', 'false']).transform((value) => value === '1' || value === 'true');

/**
 * Reads a service's configuration from environment variables only. An empty variable counts as unset.
 *
 * @throws Rejection `config.invalid` naming each variable that is missing or wrong; values are not repeated, they may be secrets.
 */
export function loadConfig<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<Shape>> {
  const known = Object.keys(schema.shape);
  const given = Object.fromEntries(known.filter((name) => environment[name]).map((name) => [name, environment[name]]));
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  const problems = new Set(result.error.issues.map((issue) => `${issue.path.join('.')} ${described(issue)}`));
  throw new Rejection('config.invalid', `Cannot start: ${[...problems].join('; ')}. Correct the named environment variables.`, {
    variables: [...new Set(result.error.issues.map((issue) => String(issue.path[0])))],
  });
}

/** Our own texts go on from the variable's name; the library's say by themselves what they expected. */
function described({ message }: { readonly message: string }): string {
  return message.startsWith('must ') ? message : `is missing or wrong (${message})`;
}
