import type { DynamicModule } from '@nestjs/common';

import type { SandboxDriver } from '@bullpen/sandbox-driver';
import type { SourceRules } from '@bullpen/scm';

import { DRAIN, OrchestratorController, SANDBOX_DRIVER, SOURCE_RULES } from './adapters/grpc/orchestrator.controller.js';
import type { Drain } from './adapters/grpc/orchestrator.controller.js';

export interface OrchestratorModuleParts {
  readonly driver: SandboxDriver;
  readonly rules: SourceRules;
  readonly drain: Drain;
}

/** The gRPC side; the loops live beside it, because a shutdown drains them before the server goes. */
export function createOrchestratorModule({ driver, rules, drain }: OrchestratorModuleParts): DynamicModule {
  return {
    module: class OrchestratorModule {},
    controllers: [OrchestratorController],
    providers: [
      { provide: SANDBOX_DRIVER, useFactory: () => driver },
      { provide: SOURCE_RULES, useFactory: () => rules },
      { provide: DRAIN, useFactory: () => drain },
    ],
  };
}
