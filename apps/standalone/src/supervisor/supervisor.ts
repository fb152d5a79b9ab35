import { Rejection, type Fault } from '@bullpen/errors';
import { createLogger } from '@bullpen/telemetry';

import { startEraser, type Eraser } from '../eraser/eraser.js';
import { diskProblem } from './disk.js';
import { checkGivenDatabase, natsPassword, prepareEventStream } from './given-servers.js';
import { homeAt, loadSecrets, loadToken, prepareHome, type Home } from './home.js';
import { endLeftovers, endSandboxes, leftoversOf, type Leftovers } from './leftovers.js';
import { LogFile } from './logs.js';
import { watchNats, type NatsWatch } from './nats-watch.js';
import { partsOf } from './parts.js';
import { natsUrl, usesScriptedModel, type Installation } from './platform-environment.js';
import { choosePorts, requireFreePort } from './ports.js';
import { identify } from './processes.js';
import { SERVICE_NAMES, isService, readRun, releaseLock, writeRun, type ProcessName, type Run } from './run-file.js';
import { ensureSampleRepository } from './sample.js';
import { marksOf } from './settings-in-use.js';
import { localUrl, localUser, type Settings } from './settings.js';
import { step, type Say } from './steps.js';
import { SupervisedProcess, type Part } from './supervised-process.js';

const LOG_CHECK_INTERVAL_MS = 10_000;
const PORT_PATIENCE_MS = 5_000;
const RUN_SANDBOXES: ReadonlySet<ProcessName> = new Set(['platform', 'orchestrator']);

export interface Started {
  readonly installation: Installation;
  /** What a person should know about what it found. */
  readonly notices: readonly string[];
}

/** Starts everything in order, keeps it running, and stops it in the opposite order. The lock on the home is the caller's to take. */
export class Supervisor {
  readonly home: Home;
  readonly #settings: Settings;
  readonly #say: Say;
  readonly #giveUp: (error: Fault) => void;
  readonly #running: SupervisedProcess[] = [];
  #leftovers: Leftovers = {};
  #rotation: NodeJS.Timeout | null = null;
  #stopped: Promise<void> | null = null;
  #eraser: Eraser | null = null;
  #natsWatch: NatsWatch | null = null;
  #run: Run | null = null;
  #runIsWritten = true;
  readonly #eraserLog: LogFile;

  constructor(settings: Settings, { say, giveUp }: { say: Say; giveUp: (error: Fault) => void }) {
    this.#settings = settings;
    this.home = homeAt(settings.BULLPEN_HOME);
    this.#eraserLog = new LogFile(this.home.logs, 'eraser');
    this.#say = say;
    this.#giveUp = giveUp;
  }

  /** Resolves once the platform is ready. Rejects naming what did not start; `stop` then ends what did. */
  async start(): Promise<Started> {
    const installation = await step(this.#say, 'home and ports', () => this.#prepare());
    await step(this.#say, 'sample repository', () => ensureSampleRepository(this.home.sampleRepository));
    const { DATABASE_URL: database, NATS_URL: nats } = this.#settings;
    let notices: readonly string[] = [];
    const prepareLog = () => this.#step('event log', async () => void (notices = await prepareEventStream(installation)));
    // What is wrong with a server that is given is known before ours are started.
    if (database !== undefined) await this.#step('Postgres of DATABASE_URL', () => checkGivenDatabase(database));
    if (nats !== undefined) await prepareLog();
    this.#rotation = setInterval(() => this.#lookAfterFiles(), LOG_CHECK_INTERVAL_MS);
    const parts = partsOf(installation);
    const firstService = parts.find(({ name }) => isService(name));
    for (const part of parts) {
      if (part === firstService && nats === undefined) await prepareLog();
      await this.#step(part.title, () => this.#startPart(part), (adopted) => (adopted ? ' (was still running)' : ''));
    }
    await this.#step('erasure', () => this.#startEraser(installation));
    this.#natsWatch = this.#watchNats(installation);
    return { installation, notices };
  }

  /** Ends everything, the services first, so that turns end in the log before the log ends. Resolves when nothing runs; again is the same. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #step<T>(name: string, work: () => Promise<T>, note?: (result: T) => string): Promise<void> {
    if (this.#stopped === null) await step(this.#say, name, work, note);
  }

  async #prepare(): Promise<Installation> {
    const { home } = this;
    prepareHome(home);
    const before = readRun(home);
    this.#run = before;
    // All of it until it is sorted out: a stop in between ends what is known here.
    this.#leftovers = leftoversOf(before);
    this.#leftovers = await this.#keepWhatServesOn(this.#leftovers);
    const { BULLPEN_HOST: host, BULLPEN_PORT: port } = this.#settings;
    const patienceMs = SERVICE_NAMES.some((name) => before?.processes[name] !== undefined) ? PORT_PATIENCE_MS : 0;
    await requireFreePort(port, host, patienceMs);
    const ports = await choosePorts({ ports: before?.ports ?? {}, inUse: new Set(Object.keys(this.#leftovers)), patienceMs });
    const secrets = loadSecrets(home);
    const settings = marksOf(this.#settings, secrets.rpc);
    this.#run = { url: localUrl(this.#settings), ports, supervisor: identify(process.pid), processes: this.#leftovers, settings };
    writeRun(home, this.#run);
    return { settings: this.#settings, home, secrets, token: loadToken(home), user: localUser(this.#settings), ports };
  }

  /** Services are always started anew: their code or settings may be others now. Servers go on, unless they are no longer asked for. */
  async #keepWhatServesOn(leftovers: Leftovers): Promise<Leftovers> {
    const { DATABASE_URL, NATS_URL } = this.#settings;
    const { postgres, nats, scriptedModel } = leftovers;
    const keep = {
      ...(postgres && DATABASE_URL === undefined ? { postgres } : {}),
      ...(nats && NATS_URL === undefined ? { nats } : {}),
      ...(scriptedModel && usesScriptedModel(this.#settings) ? { scriptedModel } : {}),
    };
    const rest = Object.entries(leftovers).filter(([name]) => !(name in keep));
    const ended = await endLeftovers(Object.fromEntries(rest));
    if (ended.length > 0) this.#say(`         the last supervisor was killed; ended what it left: ${ended.join(', ')}`);
    return keep;
  }

  /** Resolves to whether it was running already. */
  async #startPart(part: Part): Promise<boolean> {
    const supervised = new SupervisedProcess(part, {
      log: new LogFile(this.home.logs, part.name),
      record: (identity) => this.#amendRun((run) => ({ ...run, processes: { ...run.processes, [part.name]: identity ?? undefined } })),
      say: this.#say,
      giveUp: this.#giveUp,
      obstacle: () => diskProblem(this.home.folder),
    });
    this.#running.push(supervised);
    const leftover = this.#leftovers[part.name];
    if (leftover !== undefined && (await supervised.adopt(leftover))) return true;
    await supervised.start();
    return false;
  }

  /** Here, because nobody but the supervisor holds the log's admin password. */
  async #startEraser(installation: Installation): Promise<void> {
    this.#eraser = await startEraser({
      url: natsUrl(installation),
      password: natsPassword(installation, 'admin'),
      objectsFolder: this.home.objects,
      logger: createLogger('eraser', undefined, this.#eraserLog.path),
    });
  }

  /** Only a server of ours is ours to start anew. */
  #watchNats(installation: Installation): NatsWatch | null {
    const nats = this.#running.find(({ part }) => part.name === 'nats');
    if (nats === undefined) return null;
    return watchNats({ url: natsUrl(installation), password: natsPassword(installation, 'admin'), onAilment: (why) => nats.restart(why) });
  }

  async #stop(): Promise<void> {
    await this.#natsWatch?.stop();
    await this.#eraser?.stop();
    if (this.#rotation !== null) clearInterval(this.#rotation);
    for (const { part } of this.#running) await part.beforeStop?.();
    for (const supervised of this.#running.toReversed()) {
      await step(this.#say, `stop ${supervised.part.title}`, () => supervised.stop());
      if (RUN_SANDBOXES.has(supervised.part.name)) await this.#endSandboxes();
    }
    // Those that the start did not come to.
    await endLeftovers(leftoversOf({ processes: this.#leftovers }));
    if (Object.keys(this.#leftovers).length > 0) await this.#endSandboxes();
    this.#amendRun((run) => ({ ...run, supervisor: null, processes: {} }));
    releaseLock(this.home);
  }

  /** They were ended in order; what is left would run on for ever. */
  async #endSandboxes(): Promise<void> {
    const count = await endSandboxes(this.home);
    if (count > 0) this.#say(`         ended ${count} processes that sandboxes had left`);
  }

  #amendRun(amend: (run: Run) => Run): void {
    if (this.#run === null) return;
    this.#run = amend(this.#run);
    this.#writeRun(this.#run);
  }

  /** What cannot be written now, because the disk is full, is written at the next look at the logs. */
  #writeRun(run: Run): void {
    try {
      writeRun(this.home, run);
      this.#runIsWritten = true;
    } catch (error) {
      if (this.#runIsWritten) this.#say(`         ${this.home.runFile} cannot be written: ${String(error)}`);
      this.#runIsWritten = false;
    }
  }

  #lookAfterFiles(): void {
    if (this.#run !== null && !this.#runIsWritten) this.#writeRun(this.#run);
    if (diskProblem(this.home.folder) instanceof Rejection) return;
    for (const { log } of this.#running) log.rotate();
    this.#eraserLog.rotate();
  }
}
