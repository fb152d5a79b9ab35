import type { JsonValue, StoredEvent } from '@bullpen/contracts';

const SHA256 = /^[0-9a-f]{64}$/;

/** Which sessions name which objects, as far as their events are still in the log. */
export class ObjectReferences {
  readonly #sessionsOf = new Map<string, Set<string>>();
  readonly #objectsOf = new Map<string, Set<string>>();

  add(sessionId: string, events: readonly StoredEvent[]): void {
    for (const { data } of events) for (const sha256 of objectsIn(data)) this.#add(sessionId, sha256);
  }

  isNamed(sha256: string): boolean {
    return this.#sessionsOf.has(sha256);
  }

  /** Forgets the session. @returns the objects that nobody names any more */
  remove(sessionId: string): string[] {
    const objects = [...(this.#objectsOf.get(sessionId) ?? [])];
    this.#objectsOf.delete(sessionId);
    for (const sha256 of objects) {
      const sessions = this.#sessionsOf.get(sha256);
      sessions?.delete(sessionId);
      if (sessions?.size === 0) this.#sessionsOf.delete(sha256);
    }
    return objects.filter((sha256) => !this.isNamed(sha256));
  }

  #add(sessionId: string, sha256: string): void {
    const sessions = this.#sessionsOf.get(sha256) ?? new Set();
    const objects = this.#objectsOf.get(sessionId) ?? new Set();
    this.#sessionsOf.set(sha256, sessions.add(sessionId));
    this.#objectsOf.set(sessionId, objects.add(sha256));
  }
}

/** Values under the name `sha256`, wherever they are. */
function* objectsIn(value: JsonValue): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'sha256' && typeof inner === 'string' && SHA256.test(inner)) yield inner;
    else yield* objectsIn(inner);
  }
}
