import type { Isolation } from '@bullpen/contracts';
import { Fault } from '@bullpen/errors';
import { differences } from '@bullpen/sandbox-driver';
import type {
  ObservedSandbox,
  SandboxDriver,
  SandboxFeature,
  SandboxId,
  SandboxObservation,
  SandboxSpec,
} from '@bullpen/sandbox-driver';

export interface FakeDriverOptions {
  readonly isolation?: Isolation;
  readonly warning?: string | null;
  /** What a sandbox does once applied: `pending` waits for `run`, `running` (the default) runs, `failed` could not be made. */
  readonly script?: (id: SandboxId, spec: SandboxSpec) => 'pending' | 'running' | 'failed';
}

const LOG_TAIL_CHARS = 4_000;

/** Sandboxes in memory, moved on by the test. Keeps every promise of the port. */
export class FakeDriver implements SandboxDriver {
  readonly name = 'fake';
  readonly supports: ReadonlySet<SandboxFeature> = new Set<SandboxFeature>();
  readonly isolation: Isolation;
  readonly warning: string | null;
  readonly #script: NonNullable<FakeDriverOptions['script']>;
  readonly #sandboxes = new Map<SandboxId, { spec: SandboxSpec; observed: ObservedSandbox }>();
  readonly #started: SandboxId[] = [];
  readonly #workspaces = new Set<SandboxId>();
  readonly #observers = new Set<() => void>();
  #failures: Error[] = [];
  #resyncs = 0;

  constructor({ isolation = 'none', warning = null, script = () => 'running' }: FakeDriverOptions = {}) {
    this.isolation = isolation;
    this.warning = warning;
    this.#script = script;
  }

  async *observe(signal: AbortSignal): AsyncIterable<SandboxObservation> {
    let known: ReadonlyMap<SandboxId, ObservedSandbox> | null = null;
    let resyncs = this.#resyncs;
    while (!signal.aborted) {
      const current = new Map([...this.#sandboxes].map(([id, { observed }]) => [id, observed]));
      if (known === null || resyncs !== this.#resyncs) yield { kind: 'resync', sandboxes: [...current.values()] };
      else yield* differences(known, current);
      known = current;
      resyncs = this.#resyncs;
      await this.#nextChange(signal, () => this.#differs(current) || resyncs !== this.#resyncs);
    }
  }

  async apply(id: SandboxId, spec: SandboxSpec, signal: AbortSignal): Promise<void> {
    if (signal.aborted) throw new Fault('sandbox.apply-failed', `Sandbox ${id} was not made: the caller stopped.`);
    if (this.#sandboxes.has(id)) return;
    const failure = this.#failures.shift();
    if (failure) throw failure;
    if (spec.takeOver !== null) {
      this.#end(spec.takeOver);
      this.#workspaces.delete(spec.takeOver);
    }
    this.#workspaces.add(id);
    this.#sandboxes.set(id, { spec, observed: { id, phase: 'pending', exitCode: null, signal: null, logTail: '' } });
    const next = this.#script(id, spec);
    if (next === 'running') this.run(id);
    if (next === 'failed') this.fail(id, 'scripted failure');
    this.#wake();
  }

  async remove(id: SandboxId, { keepWorkspace }: { readonly keepWorkspace: boolean }): Promise<void> {
    this.#sandboxes.delete(id);
    if (!keepWorkspace) this.#workspaces.delete(id);
    this.#wake();
  }

  /** The spec that a sandbox was applied with; undefined when there is none. */
  specOf(id: SandboxId): SandboxSpec | undefined {
    return this.#sandboxes.get(id)?.spec;
  }

  observedOf(id: SandboxId): ObservedSandbox | undefined {
    return this.#sandboxes.get(id)?.observed;
  }

  /** Every start of a runner, in order. */
  get started(): readonly SandboxId[] {
    return this.#started;
  }

  hasWorkspace(id: SandboxId): boolean {
    return this.#workspaces.has(id);
  }

  /** A pending sandbox's runner starts. */
  run(id: SandboxId): void {
    if (this.observedOf(id)?.phase !== 'pending') return;
    this.#started.push(id);
    this.#set(id, { phase: 'running' });
  }

  /** A running sandbox's runner ends, by itself or by a signal. */
  exit(
    id: SandboxId,
    { exitCode = null, signal = null, log = '' }: { exitCode?: number | null; signal?: string | null; log?: string } = {},
  ): void {
    if (this.observedOf(id)?.phase !== 'running') return;
    this.#set(id, { phase: 'exited', exitCode, signal });
    this.log(id, log);
  }

  /** A pending sandbox turns out to be impossible. */
  fail(id: SandboxId, log: string): void {
    if (this.observedOf(id)?.phase !== 'pending') return;
    this.#set(id, { phase: 'failed' });
    this.log(id, log);
  }

  /** The runner writes output. */
  log(id: SandboxId, text: string): void {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox || text === '') return;
    const secrets = Object.values(sandbox.spec.secrets).filter((secret) => secret !== '');
    const clean = secrets.reduce((line, secret) => line.replaceAll(secret, '[secret]'), text);
    this.#set(id, { logTail: (sandbox.observed.logTail + clean).slice(-LOG_TAIL_CHARS) });
  }

  /** The next calls of `apply` fail, one error each, and make nothing. */
  failNextApplies(
    count: number,
    error: Error = new Fault('sandbox.apply-failed', 'The driver cannot make a sandbox now.'),
  ): void {
    this.#failures.push(...Array.from({ length: count }, () => error));
  }

  /** A sandbox vanishes behind the driver's back. */
  vanish(id: SandboxId): void {
    this.#sandboxes.delete(id);
    this.#wake();
  }

  /** Every observer gets a resync, as after a cut connection. */
  resync(): void {
    this.#resyncs += 1;
    this.#wake();
  }

  #end(id: SandboxId): void {
    this.exit(id, { signal: 'SIGKILL' });
    this.fail(id, 'taken over');
  }

  #set(id: SandboxId, change: Partial<ObservedSandbox>): void {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return;
    sandbox.observed = { ...sandbox.observed, ...change };
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#observers) wake();
  }

  #differs(seen: ReadonlyMap<SandboxId, ObservedSandbox>): boolean {
    return seen.size !== this.#sandboxes.size || [...this.#sandboxes].some(([id, { observed }]) => seen.get(id) !== observed);
  }

  async #nextChange(signal: AbortSignal, changed: () => boolean): Promise<void> {
    if (signal.aborted || changed()) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#observers.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#observers.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
