import { SandboxOrchestratorService } from '@bullpen/contracts';
import { createRpcClient } from '@bullpen/rpc';

import type { RepositoryProbe } from '../../core/ports.js';

/** The probe itself may take 10 s. */
const PROBE_TIMEOUT_MS = 12_000;

export function createRepositoryProbe(options: { readonly url: string; readonly key: string }): RepositoryProbe {
  const orchestrator = createRpcClient(SandboxOrchestratorService, { ...options, timeoutMs: PROBE_TIMEOUT_MS });
  return {
    probe: async (source, branch) => {
      const found = await orchestrator.probeRepository({ source, branch });
      const { canonicalSource, name, defaultBranch } = found;
      return { canonicalSource, name, defaultBranch, branch: found.branch || defaultBranch };
    },
  };
}
