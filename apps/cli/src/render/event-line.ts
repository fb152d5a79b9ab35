import type { SessionEvent } from '@bullpen/contracts';

import { makeStyle } from './style.js';
import { fit, neutralJson, neutralLine } from './terminal-text.js';
import type { Terminal } from './terminal-text.js';

const TYPE_COLUMNS = 22;
/** Of the data, when not on a terminal. */
const DATA_CHARS = 160;

/** One event as one line: id, time, type, and the start of its data. */
export function eventLine({ id, at, type, data }: SessionEvent, { color, width }: Terminal): string {
  const style = makeStyle(color);
  const time = neutralLine(at).slice(11, 23);
  const name = neutralLine(type).padEnd(TYPE_COLUMNS);
  const room = width === null ? DATA_CHARS : Math.max(10, width - id.length - time.length - name.length - 3);
  const summary = fit(neutralJson(JSON.stringify(data)), room);
  return `${style.dim(`${neutralLine(id)} ${time}`)} ${style.bold(name)} ${summary}`;
}
