import { startScriptedModel } from '@bullpen/scripted-model';
import { startTcpProxy, startTestNats, startTestPostgres } from '@bullpen/testing';
import type { TcpProxy } from '@bullpen/testing';

import { eventually, TestPlatform } from '../platform.harness.js';
import { checkEverything } from './oracle.js';
import { record } from './report.js';
import { seededRandom } from './seeds.js';
import { SlowTurn } from './slow-turn.js';
import { RECOVERS_MS } from './victims.js';

export const LINKS = [
  'client and gateway',
  'platform and NATS',
  'platform and Postgres',
  'runner and orchestrator',
  'gateway and session',
  'session and orchestrator',
  'agent and model',
] as const;
type Link = (typeof LINKS)[number];

const FIRST_EVENT = 3;
const MIN_CUT_MS = 100;
const MAX_CUT_MS = 20_000;
const TURNS_END_MS = 120_000;
const READY_MS = 30_000;

/** The platform with a proxy between any two of its parts. */
export class CutPlatform {
  private constructor(
    readonly platform: TestPlatform,
    private readonly proxies: Readonly<Record<Link, TcpProxy>>,
    private readonly servers: readonly { stop(): Promise<void> }[],
  ) {}

  static async start(): Promise<CutPlatform> {
    const nats = await startTestNats();
    const postgres = await startTestPostgres();
    const model = await startScriptedModel({ port: 0 });
    const postgresUrl = new URL(postgres.url);
    const started: { platform?: TestPlatform } = {};
    const portOf = (name: string): { readonly port: number } => ({
      get port() {
        return name === 'gateway' ? (started.platform?.port ?? 0) : (started.platform?.runFile.ports[name] ?? 0);
      },
    });
    const proxies: Record<Link, TcpProxy> = {
      'client and gateway': await startTcpProxy(portOf('gateway')),
      'platform and NATS': await startTcpProxy({ port: nats.port }),
      'platform and Postgres': await startTcpProxy({ port: Number(postgresUrl.port) }),
      'runner and orchestrator': await startTcpProxy(portOf('orchestratorLink')),
      'gateway and session': await startTcpProxy(portOf('sessionGrpc')),
      'session and orchestrator': await startTcpProxy(portOf('orchestratorGrpc')),
      'agent and model': await startTcpProxy({ port: model.port }),
    };
    postgresUrl.port = String(proxies['platform and Postgres'].port);
    const environment = {
      NATS_URL: `nats://127.0.0.1:${proxies['platform and NATS'].port}`,
      SESSION_NATS_PASSWORD: nats.passwords.session,
      ORCHESTRATOR_NATS_PASSWORD: nats.passwords.orchestrator,
      GATEWAY_NATS_PASSWORD: nats.passwords.gateway,
      NATS_ADMIN_PASSWORD: nats.passwords.admin,
      DATABASE_URL: postgresUrl.href,
      ORCHESTRATOR_LINK_URL: `ws://127.0.0.1:${proxies['runner and orchestrator'].port}`,
      SESSION_GRPC_URL: `http://127.0.0.1:${proxies['gateway and session'].port}`,
      ORCHESTRATOR_GRPC_URL: `http://127.0.0.1:${proxies['session and orchestrator'].port}`,
      ANTHROPIC_API_KEY: 'any',
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${proxies['agent and model'].port}`,
      // The client's proxy has a port of its own.
      BULLPEN_ALLOWED_HOSTS: '127.0.0.1',
    };
    const servers = [...Object.values(proxies), nats, postgres, { stop: () => model.close() }];
    try {
      const platform = await TestPlatform.start(environment, { url: nats.url, password: nats.passwords.gateway }, (made) => (started.platform = made));
      return new CutPlatform(platform, proxies, servers);
    } catch (error) {
      for (const server of servers) await server.stop();
      throw error;
    }
  }

  /** Cuts for as long as the seed picks, either at once for both sides or so that neither is told, and checks all that must hold then. */
  async cutAndCheck(link: Link, seed: number): Promise<void> {
    const random = seededRandom(seed + 1);
    const forMs = Math.round(MIN_CUT_MS * (MAX_CUT_MS / MIN_CUT_MS) ** random());
    const how = random() < 0.5 ? 'cut' : 'stall';
    const { platform, proxies } = this;
    process.stderr.write(`  seed ${seed}: ${how} ${link} for ${forMs} ms\n`);
    const turn = await SlowTurn.upTo(platform, seed, { firstEvent: FIRST_EVENT, url: `http://127.0.0.1:${proxies['client and gateway'].port}` });
    const healed = new Promise((resolve) => setTimeout(resolve, forMs)).then(() => proxies[link].heal());
    await turn.strike(() => proxies[link][how]());
    await healed;
    await turn.ended(TURNS_END_MS);
    await eventually('the platform is ready again', READY_MS, () => platform.isReady());
    const outcomes = link === 'agent and model' ? (['completed', 'model'] as const) : (['completed'] as const);
    const outcome = await checkEverything(turn, { outcomes, failsWithinMs: forMs + RECOVERS_MS });
    const recoveryMs = Math.max(0, turn.recoveryMs(outcome) - forMs);
    record({ fault: `${how} ${link}`, outcome, recoveryMs });
    if (recoveryMs > RECOVERS_MS) throw new Error(`seed ${seed}: recovered ${recoveryMs} ms after the connection was back, not within ${RECOVERS_MS}`);
  }

  async remove(): Promise<void> {
    for (const proxy of Object.values(this.proxies)) proxy.heal();
    await this.platform.remove();
    for (const server of this.servers) await server.stop();
  }
}
