import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import type { Plain, sessionApi } from '@bullpen/contracts';

import type { RepositoryList } from '../../core/ports.js';
import { RepositoryOperations } from '../../core/repository-operations.js';
import { callerOf } from './caller-of.js';

const SERVICE = 'SessionService';

export const REPOSITORY_LIST = Symbol('RepositoryList');

type Answer<Response> = Promise<Plain<Response>>;

@Controller()
export class RepositoryController {
  constructor(
    @Inject(RepositoryOperations) private readonly operations: RepositoryOperations,
    @Inject(REPOSITORY_LIST) private readonly repositories: RepositoryList,
  ) {}

  @GrpcMethod(SERVICE, 'AddRepository')
  async add({ context, source, name }: Plain<sessionApi.AddRepositoryRequest>): Answer<sessionApi.AddRepositoryResponse> {
    const added = await this.operations.add(callerOf(context), { source, name });
    return { repository: { ...added, addedAt: '', lastUsedAt: '' } };
  }

  @GrpcMethod(SERVICE, 'ListRepositories')
  async list(query: Plain<sessionApi.ListRepositoriesRequest>): Answer<sessionApi.ListRepositoriesResponse> {
    const { rows, stale } = await this.repositories.list(query);
    const repositories = rows.map(({ repositoryId: id, name, source, defaultBranch, addedAt, lastUsedAt }) => {
      return { id, name, source, defaultBranch, addedAt, lastUsedAt };
    });
    return { repositories, stale };
  }

  @GrpcMethod(SERVICE, 'RemoveRepository')
  async remove({ context, repositoryId }: Plain<sessionApi.RemoveRepositoryRequest>): Answer<sessionApi.RemoveRepositoryResponse> {
    await this.operations.remove(callerOf(context), repositoryId);
    return {};
  }
}
