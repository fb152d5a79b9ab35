import { Fault } from '@bullpen/errors';
import type { ObservedSandbox, SandboxDriver, SandboxObservation } from '@bullpen/sandbox-driver';
import type { Logger } from '@bullpen/telemetry';

/** Before observing again after the driver's observation broke. */
const RETRY_MS = 1_000;
const RESYNC_TIMEOUT_MS = 30_000;

/** What the driver has, as of its last word. */
export class ObservedSandboxes {
  readonly #sandboxes = new Map<string, ObservedSandbox>();
  readonly #abort = new AbortController();
  readonly #watching: Promise<void>;
  #synced: (() => void) | null = null;
  /** Of the observation at hand; another one follows it. */
  #current = new AbortController();

  private constructor(
    private readonly driver: SandboxDriver,
    private readonly logger: Logger,
    private readonly onChange: (sessionId: string) => void,
  ) {
    this.#watching = this.#watch();
  }

  /** Resolves with the first complete list. @throws Fault `sandbox.driver-silent` */
  static async watch(driver: SandboxDriver, logger: Logger, onChange: (sessionId: string) => void): Promise<ObservedSandboxes> {
    const observed = new ObservedSandboxes(driver, logger, onChange);
    try {
      await observed.#nextResync();
      return observed;
    } catch (error) {
      await observed.stop();
      throw error;
    }
  }

  /** Resolves with a complete list that was made after the call. @throws Fault `sandbox.driver-silent` */
  async resync(): Promise<void> {
    const synced = this.#nextResync();
    this.#current.abort();
    await synced;
  }

  ofSession(sessionId: string): ObservedSandbox[] {
    return [...this.#sandboxes.values()].filter(({ id }) => sessionOf(id) === sessionId);
  }

  sessionIds(): Iterable<string> {
    return new Set([...this.#sandboxes.keys()].map(sessionOf));
  }

  /** Made just now; the driver's own word follows. */
  assume(id: string): void {
    if (!this.#sandboxes.has(id)) this.#sandboxes.set(id, { id, phase: 'pending', exitCode: null, signal: null, logTail: '' });
  }

  /** Removed just now. */
  forget(id: string): void {
    this.#sandboxes.delete(id);
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#watching;
  }

  async #nextResync(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#synced = resolve;
        const { name } = this.driver;
        const fault = () => reject(new Fault('sandbox.driver-silent', `The driver ${name} did not list its sandboxes in time.`));
        timer = setTimeout(fault, RESYNC_TIMEOUT_MS);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #watch(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#current = new AbortController();
      const either = AbortSignal.any([signal, this.#current.signal]);
      try {
        for await (const observation of this.driver.observe(either)) this.#take(observation);
      } catch (error) {
        if (!either.aborted) this.logger.warn('sandbox observation broke', { driver: this.driver.name, error });
      }
      if (!either.aborted) await pause(RETRY_MS, either);
    }
  }

  #take(observation: SandboxObservation): void {
    const touched = new Set<string>();
    switch (observation.kind) {
      case 'resync':
        for (const id of this.#sandboxes.keys()) touched.add(sessionOf(id));
        this.#sandboxes.clear();
        for (const sandbox of observation.sandboxes) {
          this.#sandboxes.set(sandbox.id, sandbox);
          touched.add(sessionOf(sandbox.id));
        }
        this.#synced?.();
        break;
      case 'changed':
        this.#sandboxes.set(observation.sandbox.id, observation.sandbox);
        touched.add(sessionOf(observation.sandbox.id));
        break;
      case 'removed':
        this.#sandboxes.delete(observation.id);
        touched.add(sessionOf(observation.id));
        break;
    }
    for (const sessionId of touched) this.onChange(sessionId);
  }
}

function sessionOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
