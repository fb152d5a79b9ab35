import { readFileSync } from 'node:fs';

import WebSocket from 'ws';

import { RunnerHandshake } from '@bullpen/auth';
import { RUNNER_LINK_PROTOCOL, RUNNER_SPEC_VARIABLE, orchestratorMessageSchema, runnerSpecSchema } from '@bullpen/contracts';
import type { OrchestratorMessage } from '@bullpen/contracts';

/**
 * A runner that only makes load: speaks the real link, and takes its orders from the prompt, JSON of `Load`. Each event's text begins with
 * the time it was made, in milliseconds.
 */
export interface Load {
  readonly events: number;
  /** 0: as fast as acknowledgements come. */
  readonly perSecond: number;
  readonly bytes: number;
}

const MAX_UNACKNOWLEDGED = 2_000;
const BATCH = 50;
const TICK_MS = 5;

const spec = runnerSpecSchema.parse(JSON.parse(readFileSync(process.env[RUNNER_SPEC_VARIABLE] ?? '', 'utf8')));
const socket = new WebSocket(spec.linkUrl);
const handshake = new RunnerHandshake(spec.token, spec.linkUrl);
let n = 0;
let acknowledged = 0;
let offset = 0;
let part = 0;

const send = (message: unknown): void => socket.send(JSON.stringify(message));
const heartbeat = (): void => send({ kind: 'heartbeat', stage: 'ready', since: new Date().toISOString(), turn: null });

socket.on('open', () => send({ kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...handshake.hello }));
socket.on('close', () => process.exit(0));
socket.on('message', (data) => take(orchestratorMessageSchema.parse(JSON.parse(String(data)))));

function take(message: OrchestratorMessage): void {
  if (message.kind === 'challenge') send({ kind: 'proof', proof: handshake.answer(message) });
  if (message.kind === 'welcome') {
    heartbeat();
    setInterval(heartbeat, 5_000);
  }
  if (message.kind === 'acknowledged') acknowledged = message.through;
  if (message.kind === 'stop' || message.kind === 'refused') process.exit(0);
  if (message.kind === 'prompt') void run(message);
}

async function run({ turnId, attempt, text }: Extract<OrchestratorMessage, { kind: 'prompt' }>): Promise<void> {
  const load = JSON.parse(text) as Load;
  const { agent } = spec;
  frames([{ type: 'AgentStarted', turnId, data: { turnId, attempt, agent: agent.name, model: agent.model, conversation: 'new' } }]);
  while (acknowledged < n) await tick();
  part += 1;
  offset = 0;
  const begun = performance.now();
  for (let made = 0; made < load.events; ) {
    const due = load.perSecond === 0 ? made + BATCH : Math.floor(((performance.now() - begun) / 1_000) * load.perSecond);
    const count = Math.min(due, load.events) - made;
    if (count > 0 && n - acknowledged < MAX_UNACKNOWLEDGED) {
      frames(Array.from({ length: count }, () => ({ type: 'AssistantTextAppended', turnId, data: textEvent(load.bytes) })));
      made += count;
      if (load.perSecond === 0) continue;
    }
    await tick();
  }
  frames([{ type: 'AgentTurnFinished', turnId, data: { turnId, attempt, outcome: 'completed' } }]);
}

function textEvent(bytes: number): { partId: string; offset: number; text: string } {
  const text = `${(performance.timeOrigin + performance.now()).toFixed(3)} `.padEnd(bytes, 'x');
  const event = { partId: `${spec.generation}.${part}`, offset, text };
  offset += text.length;
  return event;
}

function frames(events: readonly { type: string; turnId: string; data: object }[]): void {
  for (let from = 0; from < events.length; from += BATCH) {
    send({ kind: 'frames', frames: events.slice(from, from + BATCH).map((event) => ({ n: (n += 1), ...event })) });
  }
}

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
