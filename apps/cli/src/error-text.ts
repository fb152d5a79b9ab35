import { STATUS_CODES } from 'node:http';

import { Fault, Rejection, describeError } from '@bullpen/errors';

import { EXIT } from './exit-codes.js';
import { RefusedRequest, UNREACHABLE } from './platform/api-client.js';
import { makeStyle } from './render/style.js';
import { neutralJson, neutralLine, neutralise } from './render/terminal-text.js';

/** What to do about an error that does not say so itself, by the start of its code. */
const NEXT_STEPS: readonly (readonly [string, string])[] = [
  ['auth.', 'BULLPEN_TOKEN, or the token file in BULLPEN_HOME, must be the one of the platform that answers there'],
  ['host.unknown', 'call the platform by a name it knows: 127.0.0.1 or localhost'],
  ['session.not-found', './bullpen sessions lists the sessions there are'],
  ['event.unknown', './bullpen events shows the ids there are'],
  ['repository.branch-missing', 'name a branch that the repository has with --branch'],
  // The others say so themselves.
  ['repository.source-invalid', '--repo takes sample, an https or ssh URL, or a path, also a relative one, of a git repository on the machine of the platform'],
  ['turn.not-found', '--turn takes the number of a turn; the first one is 1'],
  ['request.too-large', 'put what is long into a file of the repository and name it in the prompt'],
  ['prompt.too-large', 'put what is long into a file of the repository and name it in the prompt'],
  ['sync.unreachable', 'attach again once the platform runs; nothing is lost'],
];

/** `error: what`, its code, and what to do next. */
export function errorText(error: unknown, color: boolean): string {
  const style = makeStyle(color);
  if (!(error instanceof Rejection) && !(error instanceof Fault)) {
    return `${style.red('error:')} ${neutralise(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`;
  }
  const next = nextStep(error);
  const lines = [`${style.red('error:')} ${neutralLine(error.message)}`, style.dim(`  code: ${neutralLine(error.code)}`)];
  return `${[...lines, ...(next === null ? [] : [`  next: ${next}`])].join('\n')}\n`;
}

/** The same as problem details (RFC 9457), one line of JSON. `status` is there when the platform answered. */
export function errorJson(error: unknown, exitCode: number): string {
  const { code, message, details } = describeError(error);
  const { next: _, ...about } = details;
  const status = statusOf(error);
  const title = status === null ? (exitCode === EXIT.usage ? 'Wrong usage' : 'Failed') : (STATUS_CODES[status] ?? 'Error');
  const isTold = error instanceof Rejection || error instanceof Fault;
  const next = isTold ? nextStep(error) : null;
  // What broke here is no secret to the one who runs it.
  const detail = isTold || !(error instanceof Error) ? message : (error.stack ?? error.message);
  const problem = { type: `urn:bullpen:problem:${code}`, title, ...(status === null ? {} : { status }), detail, code, details: about, next, exitCode };
  return `${neutralJson(JSON.stringify(problem))}\n`;
}

function statusOf(error: unknown): number | null {
  if (error instanceof RefusedRequest) return error.status;
  return error instanceof Fault && error.code !== UNREACHABLE ? 503 : null;
}

function nextStep({ code, details }: Rejection | Fault): string | null {
  if (typeof details['next'] === 'string') return neutralLine(details['next']);
  const known = NEXT_STEPS.find(([start]) => code.startsWith(start));
  if (known !== undefined) return known[1];
  return code.endsWith('unavailable') ? 'a part of the platform is restarting; try again in a moment' : null;
}
