import { connect } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';

import { RunnerHandshake, signSandboxToken } from '@bullpen/auth';
import type { SandboxTokenClaims } from '@bullpen/auth';
import { MAX_GREETING_BYTES, RUNNER_LINK_PROTOCOL, orchestratorMessageSchema } from '@bullpen/contracts';
import type { OrchestratorMessage, RunnerMessage, StoredEvent } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import type { FrameLane, ObjectStore } from '@bullpen/event-log';
import { silentLogger } from '@bullpen/telemetry';

import { FRAME_RATE } from '../../core/bounds.js';
import { newSandboxedSession } from '../../core/sandbox.state.js';
import type { SandboxedSession } from '../../core/sandbox.state.js';
import type { FrameLanes } from '../nats/frame-lanes.js';
import type { SessionStates } from '../nats/session-states.js';
import { LinkServer, MAX_UNWELCOMED } from './link-server.js';
import { RunnerViews } from './runner-views.js';

const KEY = 'k'.repeat(64);
const SESSION = '00session000000000000000000';
const SANDBOX = `${SESSION}-1`;
const WAIT_MS = 5_000;

type Challenge = Extract<OrchestratorMessage, { kind: 'challenge' }>;

/** The agent lane in memory. */
class MemoryLane implements FrameLane {
  readonly events: StoredEvent[] = [];
  get appendedThrough(): number {
    return this.events.length;
  }
  async submit(frames: readonly { n: number; event: StoredEvent }[]): Promise<number> {
    for (const { n, event } of frames) if (n === this.events.length + 1) this.events.push(event);
    return this.appendedThrough;
  }
  async appendOwn(): Promise<never> {
    throw new Error('not of this test');
  }
}

describe('LinkServer', () => {
  const generation = { generation: 1, sandboxId: SANDBOX };
  const live = { requestedAt: '', requestedSequence: 1, stage: 'ready', stageSince: '', ready: true, endedAt: null } as const;
  const session: SandboxedSession = { ...newSandboxedSession(SESSION), sandbox: { ...generation, ...live }, fence: generation, turnIds: ['t1'] };
  let now = 0;
  let isOwner = true;
  let lane: MemoryLane;
  let openLane: () => Promise<FrameLane>;
  let views: RunnerViews;
  let server: LinkServer;
  let sockets: WebSocket[];

  beforeEach(async () => {
    now = 1_000;
    isOwner = true;
    lane = new MemoryLane();
    openLane = async () => lane;
    views = new RunnerViews(() => now);
    sockets = [];
    server = await LinkServer.listen({
      port: 0,
      address: null,
      tokenKey: KEY,
      states: { get: () => session } as unknown as SessionStates,
      views,
      lanes: { open: () => openLane(), drop: () => undefined } as unknown as FrameLanes,
      objects: { has: async () => true } as unknown as ObjectStore,
      logger: silentLogger,
      owns: () => isOwner,
      onChange: () => undefined,
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.terminate();
    await server.close();
  });

  interface Dialed {
    readonly socket: WebSocket;
    /** Beside the challenge. */
    readonly told: OrchestratorMessage[];
    readonly challenges: Challenge[];
    closeCode: () => number | null;
  }

  /** Opens a connection and answers a challenge; what is told and how it closed are kept. */
  async function open(answer: (challenge: Challenge) => unknown = () => null): Promise<Dialed> {
    const socket = new WebSocket(server.url);
    sockets.push(socket);
    const told: OrchestratorMessage[] = [];
    const challenges: Challenge[] = [];
    let code: number | null = null;
    socket.on('message', (data) => {
      const message = orchestratorMessageSchema.parse(JSON.parse(String(data)));
      if (message.kind !== 'challenge') return void told.push(message);
      challenges.push(message);
      const proof = answer(message);
      if (proof !== null) socket.send(JSON.stringify(proof));
    });
    socket.on('close', (closeCode) => (code = closeCode));
    socket.on('error', () => undefined);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return { socket, told, challenges, closeCode: () => code };
  }

  const handshakeOf = (changes: Partial<SandboxTokenClaims> = {}): RunnerHandshake => {
    const claims = { sandboxId: SANDBOX, sessionId: SESSION, generation: 1, expiresAt: Date.now() + 60_000, ...changes };
    return new RunnerHandshake(signSandboxToken(claims, KEY), server.url);
  };
  const helloOf = ({ hello }: RunnerHandshake): string => JSON.stringify({ kind: 'hello', protocol: RUNNER_LINK_PROTOCOL, ...hello } satisfies RunnerMessage);
  const proofOf = (handshake: RunnerHandshake, challenge: Challenge): RunnerMessage => ({ kind: 'proof', proof: handshake.answer(challenge) ?? '' });

  /** As a runner does. */
  async function dial(handshake = handshakeOf()): Promise<Dialed> {
    const dialed = await open((challenge) => proofOf(handshake, challenge));
    dialed.socket.send(helloOf(handshake));
    return dialed;
  }

  const refusal = ({ told }: Dialed): string | undefined => told.map((message) => (message.kind === 'refused' ? message.reason.code : message.kind)).join();

  it('welcomes who proves to hold the token', async () => {
    const runner = await dial();
    await until(() => runner.told.length > 0);
    expect(runner.told).toEqual([{ kind: 'welcome', appendedThrough: 0 }]);
  });

  it('refuses by name: a token that ran out, an older generation', async () => {
    for (const [changes, code] of [
      [{ expiresAt: Date.now() - 1 }, 'token.expired'],
      [{ generation: 2, sandboxId: `${SESSION}-2` }, 'generation.superseded'],
    ] as const) {
      const runner = await dial(handshakeOf(changes));
      await until(() => runner.closeCode() !== null);
      expect([runner.closeCode(), refusal(runner)]).toEqual([1008, code]);
    }
    expect(views.of(SANDBOX).connected).toBe(false);
  });

  it('takes neither its own proof back, nor one of another greeting, and does nothing for their senders', async () => {
    const holder = await dial();
    await until(() => holder.told.length > 0);
    const earlier = handshakeOf();
    const first = await open();
    first.socket.send(helloOf(earlier));
    await until(() => first.challenges.length > 0);
    const replayed = proofOf(earlier, first.challenges[0] as Challenge);
    const reflected = ({ proof }: Challenge): RunnerMessage => ({ kind: 'proof', proof });
    for (const answer of [() => replayed, reflected]) {
      const stranger = await open(answer);
      stranger.socket.send(helloOf(earlier));
      await until(() => stranger.closeCode() !== null);
      expect([stranger.closeCode(), refusal(stranger)]).toEqual([1008, 'token.invalid']);
    }
    expect(holder.closeCode()).toBeNull();
    expect(server.send(SANDBOX, { kind: 'cancel', turnId: 't1' })).toBe(true);
  });

  it.each<[string, (hello: string) => (string | Buffer)[]]>([
    ['no hello', () => ['{"kind":"proof","proof":"x"}']],
    ['bytes', (hello) => [Buffer.from(hello)]],
    ['a greeting without end', (hello) => [`${hello}${' '.repeat(MAX_GREETING_BYTES)}`]],
    ['two hellos', (hello) => [hello, hello]],
    ['frames before the proof', (hello) => [hello, '{"kind":"frames","frames":[{"n":1,"type":"PlanUpdated","data":{}}]}']],
  ])('refuses %s', async (_name, messages) => {
    const dialed = await open();
    for (const message of messages(helloOf(handshakeOf()))) dialed.socket.send(message);
    await until(() => dialed.closeCode() !== null);
    expect([dialed.closeCode(), refusal(dialed)]).toEqual([1008, 'link.message-invalid']);
    expect(lane.events).toEqual([]);
  });

  it('lets a runner in while others hold as many connections as there may be', async () => {
    const silent = Array.from({ length: 20 }, () => connect(server.port, '127.0.0.1').on('error', () => undefined));
    const others = await Promise.all(Array.from({ length: MAX_UNWELCOMED + 1 }, () => open()));
    const runner = await dial();
    await until(() => runner.told.length > 0);
    expect(runner.told[0]?.kind).toBe('welcome');
    expect(others.filter(({ closeCode }) => closeCode() === null).length).toBeLessThan(MAX_UNWELCOMED);
    await until(() => silent.every((one) => one.closed));
  });

  it('waits neither for a hello nor for a proof without end', async () => {
    const silent = await open();
    const unproved = await open();
    unproved.socket.send(helloOf(handshakeOf()));
    await until(() => silent.closeCode() !== null && unproved.closeCode() !== null, 10_000);
    expect([unproved.challenges.length, unproved.told]).toEqual([1, []]);
  }, 15_000);

  it('hears a runner also while the log is away and no welcome can be given', async () => {
    openLane = () => Promise.reject(new Fault('log.unavailable', 'The log is away.'));
    views.applied(SANDBOX);
    now = 70_000;
    const runner = await dial();
    await until(() => runner.closeCode() !== null);
    expect(runner.closeCode()).toBe(1013);
    expect(views.of(SANDBOX)).toMatchObject({ connected: false, heardAt: 70_000 });
  });

  it('sends a runner on that another replica serves, welcomed before or not', async () => {
    const welcomed = await dial();
    await until(() => welcomed.told.length > 0);
    isOwner = false;
    server.leave((sessionId) => sessionId === SESSION);
    await until(() => welcomed.closeCode() === 1013);
    expect(server.send(SANDBOX, { kind: 'cancel', turnId: 't1' })).toBe(false);
    const again = await dial();
    await until(() => again.closeCode() === 1013);
    expect(again.told).toEqual([]);
  });

  it('lets no runner in while its end is judged, and one again when that came to nothing', async () => {
    const first = await dial();
    await until(() => first.told.length > 0);
    let appendedMeanwhile = -1;
    await server.endDuring(SANDBOX, async () => {
      const again = await dial();
      await until(() => again.closeCode() !== null);
      expect(again.closeCode()).toBe(1013);
      expect(again.told).toEqual([]);
      appendedMeanwhile = lane.appendedThrough;
    });
    expect([first.socket.readyState, appendedMeanwhile]).toEqual([WebSocket.CLOSED, 0]);
    const later = await dial();
    await until(() => later.told.length > 0);
    expect(later.told[0]).toEqual({ kind: 'welcome', appendedThrough: 0 });
  });

  it('keeps one link when two come at the same moment', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    openLane = async () => held.then(() => lane);
    const runners = [await dial(), await dial()];
    await new Promise((resolve) => setTimeout(resolve, 100));
    release();
    await until(() => runners.filter(({ closeCode }) => closeCode() !== null).length === 1);
    expect(runners.map(({ told }) => told.length > 0)).toContain(true);
    expect(views.of(SANDBOX).connected).toBe(true);
  });

  it('reads one who sends too fast later, and takes everything all the same', async () => {
    const { socket, told } = await dial();
    await until(() => told.length > 0);
    const frame = (n: number) => ({ n, type: 'PlanUpdated', turnId: 't1', data: { entries: [] } });
    const count = FRAME_RATE.burst + FRAME_RATE.perSecond / 2 + 256;
    const began = performance.now();
    for (let n = 1; n <= count; n += 256) {
      const frames = Array.from({ length: Math.min(256, count - n + 1) }, (_, at) => frame(n + at));
      socket.send(JSON.stringify({ kind: 'frames', frames }));
    }
    await until(() => lane.events.length === count, 20_000);
    expect(performance.now() - began).toBeGreaterThan(450);
    expect(views.of(SANDBOX).connected).toBe(true);
  });

  it('puts FrameRejected in the place of a frame that is nested without end, and goes on', async () => {
    const { socket, told } = await dial();
    await until(() => told.length > 0);
    const depth = 200_000;
    const deep = `${'['.repeat(depth)}${']'.repeat(depth)}`;
    socket.send(`{"kind":"frames","frames":[{"n":1,"type":"PlanUpdated","data":{"entries":${deep}}}]}`);
    socket.send(`{"kind":"frames","frames":[{"n":2,"nonsense":${deep}}]}`);
    socket.send(JSON.stringify({ kind: 'frames', frames: [{ n: 3, type: 'PlanUpdated', turnId: 't1', data: { entries: [] } }] }));
    await until(() => told.some((message) => message.kind === 'acknowledged' && message.through === 3));
    expect(lane.events.map(({ type, data }) => [type, (data['reason'] as { code?: string } | undefined)?.code])).toEqual([
      ['FrameRejected', 'frame.too-deep'],
      ['FrameRejected', 'frame.malformed'],
      ['PlanUpdated', undefined],
    ]);
  });
});

async function until(condition: () => boolean, withinMs = WAIT_MS): Promise<void> {
  for (const end = Date.now() + withinMs; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited in vain: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
