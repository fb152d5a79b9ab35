import type { ObservedSandbox, SandboxId, SandboxObservation } from './sandbox-driver.js';

/** What to tell an observer who knows `known`, now that `current` is so. A sandbox that did not change is the same object in both. */
export function* differences(
  known: ReadonlyMap<SandboxId, ObservedSandbox>,
  current: ReadonlyMap<SandboxId, ObservedSandbox>,
): Iterable<SandboxObservation> {
  for (const id of known.keys()) if (!current.has(id)) yield { kind: 'removed', id };
  for (const [id, sandbox] of current) if (known.get(id) !== sandbox) yield { kind: 'changed', sandbox };
}
