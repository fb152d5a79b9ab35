import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';

import type { Plain, orchestratorApi } from '@bullpen/contracts';
import type { SandboxDriver } from '@bullpen/sandbox-driver';
import { parseSource, probeSource } from '@bullpen/scm';
import type { SourceRules } from '@bullpen/scm';

const SERVICE = 'SandboxOrchestratorService';

export const SANDBOX_DRIVER = Symbol('SandboxDriver');
export const SOURCE_RULES = Symbol('SourceRules');
export const DRAIN = Symbol('Drain');

/** False when some sandboxes were left after the time. */
export type Drain = (options: { readonly timeoutMs: number }) => Promise<boolean>;

const MAX_DRAIN_MS = 60_000;

@Controller()
export class OrchestratorController {
  constructor(
    @Inject(SANDBOX_DRIVER) private readonly driver: SandboxDriver,
    @Inject(SOURCE_RULES) private readonly rules: SourceRules,
    @Inject(DRAIN) private readonly drainSandboxes: Drain,
  ) {}

  @GrpcMethod(SERVICE, 'ProbeRepository')
  async probeRepository({
    source,
    branch,
  }: Plain<orchestratorApi.ProbeRepositoryRequest>): Promise<Plain<orchestratorApi.ProbeRepositoryResponse>> {
    return probeSource(parseSource(source, this.rules), branch);
  }

  @GrpcMethod(SERVICE, 'GetCapabilities')
  getCapabilities(): Plain<orchestratorApi.GetCapabilitiesResponse> {
    const { name, isolation, warning } = this.driver;
    return { driver: name, isolation, warning: warning ?? '' };
  }

  @GrpcMethod(SERVICE, 'Drain')
  async drain({ timeoutMs }: Plain<orchestratorApi.DrainRequest>): Promise<Plain<orchestratorApi.DrainResponse>> {
    return { drained: await this.drainSandboxes({ timeoutMs: Math.min(timeoutMs, MAX_DRAIN_MS) }) };
  }
}
