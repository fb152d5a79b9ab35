import type { ObjectRef } from '@bullpen/contracts';

/** Large values by the sha256 of their content. Putting the same bytes again is success; an object never changes. */
export interface ObjectStore {
  put(bytes: Uint8Array): Promise<ObjectRef>;
  /** @throws Rejection `object.not-found` */
  get(sha256: string): Promise<Uint8Array>;
  has(sha256: string): Promise<boolean>;
}
