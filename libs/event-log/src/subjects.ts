import { isEntityId, partitionOf, REPOSITORY_LANES, SESSION_LANES } from '@bullpen/contracts';
import type { RepositoryLane, SessionLane } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';

import type { Lane, TailOptions } from './event-log.js';

/** Where every subject of the log begins; the stream takes `evt.<partition>.>`. */
export const SUBJECT_ROOT = 'evt';

/**
 * The lane's subject. The only function that makes one: an id of any other shape never reaches NATS, where `*` would mean everything.
 *
 * @throws Rejection `session.not-found`, `repository.not-found`
 */
export function laneSubject(lane: Lane): string {
  return `${entitySubject(lane.entity, lane.id)}.${lane.name}`;
}

/** All lanes of one session. @throws Rejection `session.not-found` */
export function sessionSubjects(sessionId: string): string {
  return `${entitySubject('session', sessionId)}.*`;
}

/** What a tail asks of the stream; undefined means every subject. */
export function tailSubjects(filter: TailOptions['filter']): string | undefined {
  if (filter === undefined || filter === 'all') return undefined;
  if (!isLaneName(filter.entity, filter.lane)) {
    throw new Rejection('lane.unknown', `There is no lane ${filter.entity}/${filter.lane}.`, { ...filter });
  }
  return `${SUBJECT_ROOT}.*.${filter.entity}.*.${filter.lane}`;
}

/** The lane that a subject names; null for anything that `laneSubject` would not have made. */
export function laneOfSubject(subject: string): Lane | null {
  const [root, partition, entity, id, name, ...rest] = subject.split('.');
  if (root !== SUBJECT_ROOT || id === undefined || name === undefined || rest.length > 0) return null;
  if (!isEntityId(id) || partition !== partitionOf(id)) return null;
  if (entity === 'session' && isSessionLane(name)) return { entity, id, name };
  if (entity === 'repository' && isRepositoryLane(name)) return { entity, id, name };
  return null;
}

function entitySubject(entity: Lane['entity'], id: string): string {
  if (isEntityId(id)) return `${SUBJECT_ROOT}.${partitionOf(id)}.${entity}.${id}`;
  const details = { [`${entity}Id`]: id.slice(0, 64) };
  throw new Rejection(`${entity}.not-found`, `There is no ${entity} with this id: an id has 20 to 32 of 0-9 and a-z.`, details);
}

function isLaneName(entity: Lane['entity'], name: string): boolean {
  return entity === 'session' ? isSessionLane(name) : isRepositoryLane(name);
}

function isSessionLane(name: string): name is SessionLane {
  return SESSION_LANES.some((lane) => lane === name);
}

function isRepositoryLane(name: string): name is RepositoryLane {
  return REPOSITORY_LANES.some((lane) => lane === name);
}
