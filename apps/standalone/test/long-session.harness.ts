import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { EventData, EventType, StoredEvent } from '@bullpen/contracts';
import { connectEventLog } from '@bullpen/event-log';
import type { EventLog } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import type { TestPlatform } from './platform.harness.js';

const EVENTS_PER_TURN = 250;
/** A whole number of turns on `core`: nobody ever sees one open. */
const EVENTS_PER_APPEND = 255;
const AT = '2026-11-25T08:00:00.000Z';

/**
 * A session with a history, written into the log as its services would have: turns that are over, each with text, reasoning, tool calls and a
 * failure. Nothing runs for it. Resolves to its id.
 */
export async function writeLongSession(platform: TestPlatform, events: number): Promise<string> {
  const { body } = await platform.api<{ id: string }>('POST', '/sessions', { repository: 'sample', title: `A session of ${events} events` });
  const core = await laneWriter(platform, 'session', { entity: 'session', id: body.id, name: 'core' });
  const agent = await laneWriter(platform, 'orchestrator', { entity: 'session', id: body.id, name: 'agent' });
  try {
    const turns = Array.from({ length: events / EVENTS_PER_TURN }, (_, index) => index + 1);
    await core.append(turns.flatMap(turnOf));
    for (const turn of turns) await agent.append(workOf(turn));
  } finally {
    await core.close();
    await agent.close();
  }
  return body.id;
}

interface LaneWriter {
  append(events: readonly StoredEvent[]): Promise<void>;
  close(): Promise<void>;
}

async function laneWriter(platform: TestPlatform, user: 'session' | 'orchestrator', lane: Parameters<EventLog['laneEnd']>[0]): Promise<LaneWriter> {
  const secrets = JSON.parse(readFileSync(join(platform.home, 'secrets.json'), 'utf8')) as Record<string, string>;
  const password = secrets[user === 'session' ? 'natsSession' : 'natsOrchestrator'] ?? '';
  const log = await connectEventLog({ url: platform.logAccess.url, user, password, logger: silentLogger });
  let { sequence: expected } = await log.laneEnd(lane);
  return {
    append: async (events) => {
      for (let from = 0; from < events.length; from += EVENTS_PER_APPEND) {
        const some = events.slice(from, from + EVENTS_PER_APPEND);
        ({ sequence: expected } = await log.append({ lane, events: some, expected, key: `written-${expected}` }));
      }
    },
    close: () => log.close(),
  };
}

function event<Type extends EventType>(type: Type, data: EventData[Type], turn: number): StoredEvent {
  return { type, v: 1, at: AT, actor: { kind: 'user', id: 'local', name: 'Ada Lovelace' }, turnId: `turn-${turn}`, data: data as unknown as StoredEvent['data'] };
}

function turnOf(turn: number): StoredEvent[] {
  const turnId = `turn-${turn}`;
  const promptId = `prompt-${turn}`;
  return [
    event('PromptQueued', { promptId, text: `Task ${turn}: make the counter faster`, author: { name: 'Ada Lovelace', email: 'ada@example.com' }, requestHash: '' }, turn),
    event('TurnStarted', { turnId, promptId, attempt: 1 }, turn),
    event('TurnEnded', { turnId, attempt: 1, outcome: 'completed' }, turn),
  ];
}

/** Steps of five events: thought, text, a call and its result; each seventh call fails. */
function workOf(turn: number): StoredEvent[] {
  return Array.from({ length: (EVENTS_PER_TURN - 5) / 5 }, (_, step) => stepOf(turn, step)).flat();
}

function stepOf(turn: number, step: number): StoredEvent[] {
  const partId = `1.${turn}.${step}`;
  const call = { toolCallId: `call-${turn}-${step}` };
  const opening = `## Step ${step}\n\nThe counter in \`src/part-${step % 9}.ts\` reads`;
  const failed = step % 7 === 6;
  const path = `src/part-${step % 9}.ts`;
  const start: Pick<EventData['ToolCallStarted'], 'name' | 'title' | 'input'> =
    step % 3 === 0 ? { name: 'bash', title: 'npm test', input: { command: 'npm test' } } : { name: 'read', title: path, input: { path } };
  const text = failed ? 'Error: 1 test failed' : Array.from({ length: 20 }, (_, line) => `line ${line} of ${path}`).join('\n');
  return [
    event('ReasoningAppended', { partId, offset: 0, text: `I look at ${path} first. ` }, turn),
    event('AssistantTextAppended', { partId, offset: 0, text: opening }, turn),
    event('AssistantTextAppended', { partId, offset: opening.length, text: ' each file **twice**.\n' }, turn),
    event('ToolCallStarted', { ...call, ...start }, turn),
    event('ToolCallCompleted', { ...call, outcome: failed ? 'failed' : 'succeeded', output: { text, tail: '', sha256: '', bytes: text.length }, durationMs: 40 }, turn),
  ];
}
