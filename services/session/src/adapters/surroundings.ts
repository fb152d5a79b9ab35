import { derivedEntityId, newEntityId, sha256OfCanonicalJson } from '@bullpen/event-log';

import type { Surroundings } from '../core/ports.js';

export const surroundings: Surroundings = {
  newId: newEntityId,
  derivedId: derivedEntityId,
  hashOf: sha256OfCanonicalJson,
  now: () => new Date().toISOString(),
};
