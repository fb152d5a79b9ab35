import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';

import type { Plain, sessionApi } from '@bullpen/contracts';
import { Bug } from '@bullpen/errors';

import type { GatewayConfig } from '../../config.js';
import { GATEWAY_CONFIG } from '../../tokens.js';
import { LOCAL_ORGANISATION, SESSION_CALLS, requestContext } from '../rpc/rpc.providers.js';
import type { SessionCalls } from '../rpc/rpc.providers.js';
import { AddRepositoryBody, ListRepositoriesQuery } from './request.dto.js';
import { RepositoriesPage, RepositoryAnswer } from './response.dto.js';
import { KEY_HEADER } from './sessions.controller.js';
import { valid } from './validation.js';

@ApiTags('repositories')
@ApiBearerAuth()
@Controller('api/v1/repositories')
export class RepositoriesController {
  constructor(
    @Inject(SESSION_CALLS) private readonly calls: SessionCalls,
    @Inject(GATEWAY_CONFIG) private readonly config: GatewayConfig,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Repositories that sessions can work on, the one used last first. The sample is always there.' })
  @ApiResponse({ status: 200, type: RepositoriesPage, description: 'All of them.' })
  async list(@Query(valid(ListRepositoriesQuery)) { after = '' }: ListRepositoriesQuery) {
    const { repositories, stale } = await this.calls.listRepositories({ organisationId: LOCAL_ORGANISATION, after });
    return { repositories: repositories.map(repositoryRow), stale };
  }

  @Post()
  @HttpCode(201)
  @ApiOperation({ summary: 'Adds a repository by its source, after a look at it. One that is there already is the same one.' })
  @ApiHeader(KEY_HEADER)
  @ApiResponse({ status: 201, type: RepositoryAnswer, description: 'It is there.' })
  @ApiResponse({ status: 422, description: 'repository.not-found, .not-git, .not-readable' })
  async add(@Body(valid(AddRepositoryBody)) { source, name = '' }: AddRepositoryBody) {
    const { repository } = await this.calls.addRepository({ context: requestContext(this.config, ''), source, name });
    if (repository === undefined) throw new Bug('the session service added a repository and did not say which');
    const { id, name: called, defaultBranch } = repository;
    return { id, name: called, source: repository.source, defaultBranch };
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Takes a repository out of the list; its sessions stay.' })
  @ApiResponse({ status: 204, description: 'It is not in the list any more.' })
  @ApiResponse({ status: 404, description: 'repository.unknown' })
  async remove(@Param('id') repositoryId: string): Promise<void> {
    await this.calls.removeRepository({ context: requestContext(this.config, ''), repositoryId });
  }
}

function repositoryRow({ id, name, source, defaultBranch, addedAt, lastUsedAt }: Plain<sessionApi.Repository>) {
  return { id, name, source, defaultBranch, addedAt, lastUsedAt: lastUsedAt || null };
}
