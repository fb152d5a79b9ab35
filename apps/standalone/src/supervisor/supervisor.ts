import type { Fault } from '@bullpen/errors';

import { homeAt, loadSecrets, loadToken, prepareHome, type Home } from './home.js';
import { endLeftovers, endSandboxes } from './leftovers.js';
import { LogFile } from './logs.js';
import { partsOf, prepareEventStream } from './parts.js';
import type { Installation } from './platform-environment.js';
import { choosePorts, requireFreePort } from './ports.js';
import { identify } from './processes.js';
import { readRun, releaseLock, writeRun, type Run } from './run-file.js';
import { ensureSampleRepository } from './sample.js';
import { localUser, type Settings } from './settings.js';
import { step, type Say } from './steps.js';
import { SupervisedProcess, type Part } from './supervised-process.js';

const LOG_CHECK_INTERVAL_MS = 10_000;

/** Starts everything in order, keeps it running, and stops it in the opposite order. The lock on the home is the caller's to take. */
export class Supervisor {
  readonly home: Home;
  readonly #settings: Settings;
  readonly #say: Say;
  readonly #giveUp: (error: Fault) => void;
  readonly #running: SupervisedProcess[] = [];
  #rotation: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;

  constructor(settings: Settings, { say, giveUp }: { say: Say; giveUp: (error: Fault) => void }) {
    this.#settings = settings;
    this.home = homeAt(settings.BULLPEN_HOME);
    this.#say = say;
    this.#giveUp = giveUp;
  }

  /** Resolves once the platform is ready. Rejects naming what did not start; `stop` then ends what did. */
  async start(): Promise<Installation> {
    const installation = await step(this.#say, 'home and ports', () => this.#prepare());
    await step(this.#say, 'sample repository', () => ensureSampleRepository(this.home.sampleRepository));
    this.#rotation = setInterval(() => this.#rotateLogs(), LOG_CHECK_INTERVAL_MS);
    for (const part of partsOf(installation)) {
      if (part.name === 'platform') await this.#step('event log', () => prepareEventStream(installation));
      await this.#step(part.title, () => this.#startPart(part));
    }
    return installation;
  }

  /** Ends everything, the platform first, so that turns end in the log before the log ends. Resolves when nothing runs; again is the same. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #step<T>(name: string, work: () => Promise<T>): Promise<T | null> {
    return this.#stopped === null ? step(this.#say, name, work) : null;
  }

  async #prepare(): Promise<Installation> {
    const { home } = this;
    prepareHome(home);
    const before = readRun(home);
    const ended = await endLeftovers(before);
    if (ended.length > 0) this.#say(`         ended what the last supervisor left: ${ended.join(', ')}`);
    const { BULLPEN_HOST: host, BULLPEN_PORT: port } = this.#settings;
    await requireFreePort(port, host);
    const ports = await choosePorts(before?.ports ?? {});
    writeRun(home, { url: `http://${host}:${port}`, ports, supervisor: identify(process.pid), processes: {} });
    const secrets = loadSecrets(home);
    return { settings: this.#settings, home, secrets, token: loadToken(home), user: localUser(this.#settings), ports };
  }

  async #startPart(part: Part): Promise<void> {
    const supervised = new SupervisedProcess(part, {
      log: new LogFile(this.home.logs, part.name),
      record: (identity) => this.#amendRun((run) => ({ ...run, processes: { ...run.processes, [part.name]: identity ?? undefined } })),
      say: this.#say,
      giveUp: this.#giveUp,
    });
    this.#running.push(supervised);
    await supervised.start();
  }

  async #stop(): Promise<void> {
    if (this.#rotation !== null) clearInterval(this.#rotation);
    for (const supervised of this.#running.toReversed()) {
      await step(this.#say, `stop ${supervised.part.title}`, () => supervised.stop());
      if (supervised.part.name === 'platform') await this.#endSandboxes();
    }
    this.#amendRun((run) => ({ ...run, supervisor: null }));
    releaseLock(this.home);
  }

  /** The platform has ended them; what is left would run on for ever. */
  async #endSandboxes(): Promise<void> {
    const count = await endSandboxes(this.home);
    if (count > 0) this.#say(`         ended ${count} processes that sandboxes had left`);
  }

  #amendRun(amend: (run: Run) => Run): void {
    const run = readRun(this.home);
    if (run !== null) writeRun(this.home, amend(run));
  }

  #rotateLogs(): void {
    for (const { log } of this.#running) log.rotate();
  }
}
