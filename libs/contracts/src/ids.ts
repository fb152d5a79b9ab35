/** The only shape of an id that may become part of a subject. */
const ID = /^[0-9a-z]{20,32}$/;

export function isEntityId(value: string): boolean {
  return ID.test(value);
}

/** The partition that new entities go to; the first two characters of an id. */
export const CURRENT_PARTITION = '00';

export function partitionOf(id: string): string {
  return id.slice(0, 2);
}

export function sandboxIdOf(sessionId: string, generation: number): string {
  return `${sessionId}-${generation}`;
}

export function sessionBranch(sessionId: string): string {
  return `bullpen/${sessionId}`;
}
