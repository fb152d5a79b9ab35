import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

import type { ObservedSandbox, SandboxDriver, SandboxId, SandboxObservation, SandboxSpec } from './sandbox-driver.js';

/** What a runner does in the suite; the driver's tests make it so. It reads it as the branch of the spec's repository. */
export type RunnerBehaviour = 'stays' | 'exits-3' | 'prints-secret';

/** A driver and what the suite must know of the world behind it. */
export interface DriverUnderTest {
  readonly driver: SandboxDriver;
  /** How often the runner of a sandbox has started, ever. */
  starts(id: SandboxId): Promise<number>;
  /** Whether anything that the sandbox started still lives. */
  isAlive(id: SandboxId): Promise<boolean>;
  /** Everything that other programs of the machine can see of the sandbox: arguments of its processes, its files. */
  visibleText(id: SandboxId): Promise<string>;
  close(): Promise<void>;
}

const SESSION = '00contract0000000000000000';
const SECRET = 'canary-5e8c1f0b-contract';
const WAIT_MS = 15_000;
const EXIT_SEEN_MS = 1_500;

/** What every driver promises. Call it in a spec file, with a driver in a world of its own for every test. */
export function sandboxDriverContract(name: string, makeDriver: () => Promise<DriverUnderTest>): void {
  describe(`${name}: sandbox driver contract`, () => {
    let world: DriverUnderTest;
    let observer: Observer;
    const signal = new AbortController().signal;
    const id = sandboxId(1);
    const ended = { keepWorkspace: false };

    beforeEach(async () => {
      world = await makeDriver();
      observer = new Observer(world.driver);
    });
    afterEach(async () => {
      await observer.stop();
      await world.driver.remove(id, ended, signal);
      await world.driver.remove(sandboxId(2), ended, signal);
      await world.close();
    });

    it('tells an observer first what exists, all of it', async () => {
      expect(await observer.first()).toEqual({ kind: 'resync', sandboxes: [] });
      await world.driver.apply(id, sandboxSpec(1, 'stays'), signal);
      await observer.until(id, 'running');
      const second = new Observer(world.driver);
      const first = await second.first();
      await second.stop();
      expect(first).toMatchObject({ kind: 'resync', sandboxes: [{ id, phase: 'running', exitCode: null, signal: null }] });
    });

    it('makes a sandbox once, however often it is applied', async () => {
      const spec = sandboxSpec(1, 'stays');
      await Promise.all([world.driver.apply(id, spec, signal), world.driver.apply(id, spec, signal)]);
      await world.driver.apply(id, spec, signal);
      await observer.until(id, 'running');
      await sleep(EXIT_SEEN_MS);
      expect(await world.starts(id)).toBe(1);
    });

    it('sees an exit at once, and never runs the same id again', async () => {
      const spec = sandboxSpec(1, 'exits-3');
      await world.driver.apply(id, spec, signal);
      expect(await observer.until(id, 'exited')).toMatchObject({ exitCode: 3, signal: null });
      await world.driver.apply(id, spec, signal);
      await sleep(EXIT_SEEN_MS);
      expect(observer.last(id)).toMatchObject({ phase: 'exited', exitCode: 3 });
      expect(await world.starts(id)).toBe(1);
    });

    it('removes what never was, and what was, twice', async () => {
      await world.driver.remove(sandboxId(2), ended, signal);
      await world.driver.apply(id, sandboxSpec(1, 'stays'), signal);
      await observer.until(id, 'running');
      await world.driver.remove(id, ended, signal);
      await world.driver.remove(id, ended, signal);
      expect(await world.isAlive(id)).toBe(false);
      await observer.untilRemoved(id);
    });

    it('ends the older sandbox that another takes over', async () => {
      await world.driver.apply(id, sandboxSpec(1, 'stays'), signal);
      await observer.until(id, 'running');
      await world.driver.apply(sandboxId(2), { ...sandboxSpec(2, 'stays'), takeOver: id }, signal);
      await observer.until(sandboxId(2), 'running');
      expect(await world.isAlive(id)).toBe(false);
      expect((await observer.until(id, 'exited')).exitCode).toBeNull();
    });

    it('shows a secret nowhere', async () => {
      await world.driver.apply(id, sandboxSpec(1, 'prints-secret'), signal);
      const seen = await observer.until(id, 'exited');
      expect(seen.logTail).toContain('the secret is [secret]!');
      expect(await world.visibleText(id)).not.toContain(SECRET);
      expect(JSON.stringify(observer.seen)).not.toContain(SECRET);
    });

    it('stops observing when told to', async () => {
      await observer.first();
      const before = Date.now();
      await observer.stop();
      expect(Date.now() - before).toBeLessThan(EXIT_SEEN_MS);
    });

    it('makes nothing for a caller who has stopped', async () => {
      await expect(world.driver.apply(id, sandboxSpec(1, 'stays'), AbortSignal.abort())).rejects.toMatchObject({
        code: 'sandbox.apply-failed',
      });
      expect(await world.starts(id)).toBe(0);
    });
  });
}

function sandboxId(generation: number): SandboxId {
  return `${SESSION}-${generation}`;
}

function sandboxSpec(generation: number, behaviour: RunnerBehaviour): SandboxSpec {
  return testSandboxSpec({ sessionId: SESSION, generation, behaviour, secrets: { CONTRACT_SECRET: SECRET } });
}

/** A whole spec whose runner is to do something; the rest may be set too. */
export function testSandboxSpec({ behaviour, ...more }: Partial<SandboxSpec> & { behaviour: string }): SandboxSpec {
  return {
    sessionId: SESSION,
    generation: 1,
    runner: {
      linkUrl: 'ws://127.0.0.1:9/runner',
      token: 'token',
      repository: { name: 'sample', source: 'https://example.com/sample', branch: behaviour },
      agent: { name: 'pi', model: 'scripted', modelProvider: 'scripted', baseUrl: null },
    },
    sourcePath: null,
    checkpoint: null,
    transcript: null,
    takeOver: null,
    secrets: {},
    ...more,
  };
}

/** Follows a driver as a reconciler does: a resync replaces everything known. */
class Observer {
  readonly seen: SandboxObservation[] = [];
  readonly #known = new Map<SandboxId, ObservedSandbox>();
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(driver: SandboxDriver) {
    this.#done = this.#follow(driver);
  }

  async first(): Promise<SandboxObservation> {
    return waitFor('a first observation', () => this.seen[0]);
  }

  last(id: SandboxId): ObservedSandbox | undefined {
    return this.#known.get(id);
  }

  async until(id: SandboxId, phase: ObservedSandbox['phase']): Promise<ObservedSandbox> {
    return waitFor(`${id} is ${phase}`, () => (this.last(id)?.phase === phase ? this.last(id) : undefined));
  }

  async untilRemoved(id: SandboxId): Promise<void> {
    await waitFor(`${id} is removed`, () => (this.#known.has(id) ? undefined : true));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }

  async #follow(driver: SandboxDriver): Promise<void> {
    for await (const observation of driver.observe(this.#abort.signal)) {
      this.seen.push(observation);
      if (observation.kind === 'resync') {
        this.#known.clear();
        for (const sandbox of observation.sandboxes) this.#known.set(sandbox.id, sandbox);
      } else if (observation.kind === 'changed') this.#known.set(observation.sandbox.id, observation.sandbox);
      else this.#known.delete(observation.id);
    }
  }
}

async function waitFor<T>(what: string, look: () => T | undefined): Promise<T> {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`waited in vain until ${what}`);
    await sleep(10);
  }
}
