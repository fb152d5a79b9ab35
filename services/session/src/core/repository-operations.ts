import { isEntityId } from '@bullpen/contracts';
import type { RepositoryEvent, RepositoryRef } from '@bullpen/contracts';
import { Rejection } from '@bullpen/errors';
import type { CommandHandler } from '@bullpen/eventsourcing';

import { metaOf } from './caller.js';
import type { Caller } from './caller.js';
import type { ProbedRepository, RepositoryProbe, Surroundings } from './ports.js';
import { noRepository } from './repository.decider.js';
import type { RepositoryAggregate, RepositoryCommand } from './repository.decider.js';

const SAMPLE = 'sample';
const MAX_NAME_CHARS = 200;

export interface RepositoryOperationsParts {
  readonly repositories: CommandHandler<RepositoryAggregate, RepositoryCommand, RepositoryEvent>;
  readonly probe: RepositoryProbe;
  readonly surroundings: Surroundings;
  readonly sampleRepository: string;
}

export interface AddedRepository extends RepositoryRef {
  readonly defaultBranch: string;
}

/** What people ask of repositories. A source is looked at before anything is kept of it. */
export class RepositoryOperations {
  constructor(private readonly parts: RepositoryOperationsParts) {}

  /** @throws Rejection `repository.*` of the probe, `repository.name-too-long` */
  async add(caller: Caller, given: { readonly source: string; readonly name: string }): Promise<AddedRepository> {
    const wanted = given.name.trim();
    if (wanted.length > MAX_NAME_CHARS) {
      const message = `The name has ${wanted.length} characters; at most ${MAX_NAME_CHARS} are allowed.`;
      throw new Rejection('repository.name-too-long', message, { limit: MAX_NAME_CHARS });
    }
    const probed = await this.parts.probe.probe(this.#sourceOf(given.source), '');
    const name = wanted || nameOf(given.source, probed);
    return { ...(await this.#keep(caller, { name, probed, rename: wanted !== '' })), defaultBranch: probed.defaultBranch };
  }

  /** Repeated: nothing. @throws Rejection `repository.unknown`, `repository.is-sample` */
  async remove({ organisationId, ...caller }: Caller, id: string): Promise<void> {
    if (!isEntityId(id)) throw noRepository(id);
    const { state } = await this.parts.repositories.load(id);
    if (state.phase === 'added' && state.source === this.parts.sampleRepository) {
      throw new Rejection('repository.is-sample', 'The sample stays: it is what a newcomer tries first.', { id });
    }
    const meta = metaOf({ organisationId, ...caller }, this.parts.surroundings);
    await this.parts.repositories.handle(id, { type: 'RemoveRepository', organisationId, id }, meta);
  }

  /** The sample is there before anybody works on it. May be repeated. */
  async addSample(caller: Caller): Promise<void> {
    await this.add(caller, { source: SAMPLE, name: '' });
  }

  /** For a new session: `repository` is an id or a source. Resolves the branch. */
  async use(
    caller: Caller,
    { repository, branch }: { readonly repository: string; readonly branch: string },
  ): Promise<{ repository: RepositoryRef; branch: string }> {
    const known = isEntityId(repository) ? await this.#known(caller, repository) : null;
    const probed = await this.parts.probe.probe(known?.source ?? this.#sourceOf(repository), branch);
    if (known) return { repository: known, branch: probed.branch };
    const name = nameOf(repository, probed);
    return { repository: await this.#keep(caller, { name, probed, rename: false }), branch: probed.branch };
  }

  #sourceOf(repository: string): string {
    if (repository === '') throw new Rejection('repository.missing', 'Which repository? Give “sample”, a git URL or an absolute path.');
    return repository === SAMPLE ? this.parts.sampleRepository : repository;
  }

  async #known({ organisationId }: Caller, id: string): Promise<RepositoryRef> {
    const { state } = await this.parts.repositories.load(id);
    if (state.phase === 'added' && state.organisationId === organisationId) return { id, name: state.name, source: state.source };
    throw new Rejection('repository.not-found', `There is no repository with the id ${id}. Give its URL or path instead.`, { id });
  }

  async #keep(
    caller: Caller,
    { name, probed, rename }: { readonly name: string; readonly probed: ProbedRepository; readonly rename: boolean },
  ): Promise<RepositoryRef> {
    const { surroundings, repositories } = this.parts;
    const { organisationId } = caller;
    const source = probed.canonicalSource;
    const id = surroundings.derivedId('repository', organisationId, source);
    const repository = { organisationId, name, source, defaultBranch: probed.defaultBranch };
    const { state } = await repositories.handle(id, { type: 'AddRepository', repository, rename }, metaOf(caller, surroundings));
    return { id, name: state.phase === 'added' ? state.name : name, source };
  }
}

function nameOf(source: string, probed: ProbedRepository): string {
  return source === SAMPLE ? SAMPLE : probed.name;
}
