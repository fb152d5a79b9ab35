import type { SessionEvent } from '@bullpen/contracts';
import type { Followed } from '@bullpen/sync-protocol';

import { EXIT } from '../exit-codes.js';
import { terminalOf } from '../host.js';
import { jsonLine, warning } from '../output.js';
import { resolveSessionId } from '../platform/session-reference.js';
import { getEvents } from '../platform/sessions-api.js';
import { eventLine } from '../render/event-line.js';
import { connectionLine, endOfFollowing, follow } from '../watch/watch-session.js';
import { detachedSummary, eventPosition, plainSummary } from './command-context.js';
import type { CommandContext } from './command-context.js';

export interface EventsOptions {
  readonly after: string;
  readonly follow?: boolean;
}

/** `bullpen events`: the log of a session, one event a line. */
export async function events(context: CommandContext, reference: string, options: EventsOptions): Promise<number> {
  const { host, api, json } = context;
  const after = eventPosition(options.after);
  const sessionId = await resolveSessionId(api, reference);
  const terminal = terminalOf(host, host.stdout);
  let head = after;
  const write = (event: SessionEvent): void => {
    head = event.id;
    host.stdout.write(json ? jsonLine(event) : `${eventLine(event, terminal)}\n`);
  };
  if (options.follow) await followEvents(context, { sessionId, after, write });
  else await writePages(context, { sessionId, after, write });
  if (json) host.stdout.write(jsonLine(options.follow ? detachedSummary(sessionId, head) : plainSummary(sessionId, head, 'reached')));
  return options.follow ? EXIT.detached : EXIT.completed;
}

interface EventRange {
  readonly sessionId: string;
  readonly after: string;
  readonly write: (event: SessionEvent) => void;
}

async function writePages({ api }: CommandContext, { sessionId, after, write }: EventRange): Promise<void> {
  let last = after;
  for (let more = true; more; ) {
    const page = await getEvents(api, sessionId, last);
    for (const event of page.events) write(event);
    last = page.events.at(-1)?.id ?? last;
    more = page.more && page.events.length > 0;
  }
}

/** Until Ctrl-C, which is its usual end. */
async function followEvents(context: CommandContext, { sessionId, after, write }: EventRange): Promise<void> {
  const { host, api } = context;
  // A follower takes an id that the platform does not know for one of a log that was reset; one that a person typed is a mistake.
  await getEvents(api, sessionId, after, 1);
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const onItem = (item: Followed): void => {
    const line = connectionLine(item);
    if (line !== null) warning(context, line);
    if (item.type === 'event') write(item.event);
    if (item.type === 'failed') fail(endOfFollowing(item.error));
  };
  await follow(host, api.address, { sessionId, after, onItem, done });
}
