import { Rejection } from '@bullpen/errors';

/**
 * Postgres takes no NUL in a text, and would refuse the query as if it were broken itself.
 *
 * @throws Rejection `request.invalid`
 */
export function requireQueryText(texts: Readonly<Record<string, string>>): void {
  const names = Object.keys(texts).filter((name) => texts[name]?.includes('\0'));
  if (names.length === 0) return;
  throw new Rejection('request.invalid', `A NUL character is in ${names.join(' and ')}; nothing is called like that. Take it out.`, { fields: names });
}
